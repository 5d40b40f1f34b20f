# SPDX-License-Identifier: GPL-2.0-only
#
# For tests in a guest that load a module with KUnit suites, after lib.sh: these run
# when it is loaded. debugfs has what each of them found, unmixed with the kernel's
# messages: KTAP, indented by four blanks, which becomes the test's own lines here.
# What is indented more is of one case with one parameter.
#
#  kunit_suite NAME TITLE   the results of the suite NAME
#  needs_kunit              debugfs with its results
#  warnings                 how many the kernel has printed

# words NUMBER NAME_OF_A_CASE: without the number and the underscores
words() { echo "${1#* }" | tr _ ' '; }

# convert TITLE <KTAP; "seen" counts the results
convert()
{
	while IFS= read -r line; do
		case $line in
		'    ok '*' # SKIP '*)
			line=${line#    ok }
			skip "$1: $(words "${line%% # SKIP *}")" "${line#* # SKIP }" ;;
		'    ok '*)	ok "$1: $(words "${line#    ok }")" ;;
		'    not ok '*)	not_ok "$1: $(words "${line#    not ok }")" ;;
		'    1..'*)	planned=${line#    1..}; continue ;;
		'    '*)	echo "# ${line#    }"; continue ;;
		*)		continue ;;
		esac
		seen=$((seen + 1))
	done
}

kunit_suite()
{
	seen=0 planned=none
	convert "$2" <"/sys/kernel/debug/kunit/$1/results"
	check "$2: all cases ran ($planned)" [ "$seen" = "$planned" ]
}

needs_kunit() { needs_that "KUnit with its debugfs" [ -d /sys/kernel/debug/kunit ]; }
warnings() { dmesg | grep -cE 'WARNING|BUG|blocked for more'; }
