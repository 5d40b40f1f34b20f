# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Common ground of the scripts: messages, packages, space, locks, long commands.
# Use it from a bash script in scripts/ with:
#
#	. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
#
#  say TEXT                 one line of progress, on standard error
#  die TEXT                 one line "error: TEXT", exit 1
#  at_exit COMMAND          run COMMAND (evaluated) when the script ends, however it ends
#  catch_exit               the same for a subshell in the background, from its start
#  need_packages PKG...     install the missing ones with apt, or die
#  version_of TREE          what a kernel tree says it is
#  is_linux_6_12 TREE       die unless it is a tree of that version
#  need_space DIR MB WHAT   die unless DIR's file system has MB mebibytes left
#  lock NAME                one at a time in this build folder, until the script ends
#  logged LABEL LOG COUNT LIMIT CMD...
#                           run CMD with its output in LOG, at most LIMIT seconds, and
#                           show how many lines matching COUNT it has written so far
#  compiler_of [FOLDER]     sets COMPILER to what make is told of the compiler, for modules by
#                           the one that the kernel in FOLDER was built with; or gcc
#  our_files                the files that this repository lays over the base
#  our_objects              what is made of those that are sources of the kernel
#  patience                 how many times longer all may take with the kernel of VM_VARIANT
#
# Variables a user may set: BASE (a 6.12 tree to use instead of Debian's),
# BUILD (where everything built goes), JOBS (parallel compile jobs).

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
if [[ -n ${BASE:-} ]]; then
	BASE=$(realpath -m "$BASE")
	: "${BUILD:=$TOP/build/on-$(basename "$BASE")}"
fi
BUILD=$(realpath -m "${BUILD:-$TOP/build}")
BASE_TREE=${BASE:-$BUILD/base}
OVERLAY=$BUILD/overlay
LOGS=$BUILD/log
JOBS=${JOBS:-$(nproc)}

# A make that calls a script must not hand its own flags to the kernel's make.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

say() { printf '%s\n' "$*" >&2; }

die()
{
	printf 'error: %s\n' "$*" >&2
	exit 1
}

at_exit() { EXIT_COMMANDS+=("$1"); }

run_exit_commands()
{
	local i

	for ((i = ${#EXIT_COMMANDS[@]} - 1; i >= 0; i--)); do
		eval "${EXIT_COMMANDS[i]}" || true
	done
}

# Also at the start of a subshell that runs in the background: it has no traps.
catch_exit()
{
	EXIT_COMMANDS=()
	trap run_exit_commands EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

catch_exit
# A command that fails where nobody thought of it must not end a script in silence.
# (A script that calls another one adds "|| exit": that one has said why.)
set -E
trap 'say "error: $0 failed at line $LINENO: $BASH_COMMAND"' ERR

mkdir -p "$BUILD" "$LOGS" || die "cannot make $BUILD: choose another place with BUILD=DIR"

missing_packages()
{
	local package state

	for package; do
		state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=
		[[ $state == installed ]] || printf '%s ' "$package"
	done
}

apt_quiet()
{
	DEBIAN_FRONTEND=noninteractive timeout -k 10 900 apt-get -y -q \
		-o DPkg::Lock::Timeout=300 "$@" >>"$LOGS/apt.log" 2>&1 </dev/null
}

# Installs what is missing of PKG...; the package lists may be absent or old.
install_packages()
{
	apt_quiet install --no-install-recommends "$@" && return
	apt_quiet update && apt_quiet install --no-install-recommends "$@"
}

need_packages()
{
	local missing

	command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
		die "apt not found: the scripts need Debian 12 (or install by hand: $*)"
	missing=$(missing_packages "$@")
	[[ -n $missing ]] || return 0
	[[ $(id -u) == 0 ]] || die "missing packages: run as root, or: apt install $missing"
	say "installing $missing"
	# shellcheck disable=SC2086 # a list of words
	install_packages $missing ||
		die "apt cannot install $missing(check the network and /etc/apt/sources.list; log: $LOGS/apt.log)"
}

# Like need_packages, but the caller can do without.
want_packages()
{
	[[ -z $(missing_packages "$@") ]] || (need_packages "$@") 2>/dev/null
}

need_space()
{
	local dir=$1 megabytes=$2 what=$3 free

	free=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')
	((free >= megabytes)) ||
		die "no space: $what needs $megabytes MiB in $dir, $free MiB are free (make room, or set BUILD=DIR)"
}

version_of()
{
	sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = *//p' "$1/Makefile" 2>/dev/null | paste -sd.
}

is_linux_6_12()
{
	[[ -f $1/Makefile && -f $1/drivers/virtio/virtio_ring.c ]] ||
		die "$1 is not a Linux source tree: name the folder of one"
	[[ $(version_of "$1") == 6.12* ]] ||
		die "$1 is Linux $(version_of "$1"), this needs 6.12: use a tree of that version"
}

lock()
{
	local fd

	exec {fd}>"$BUILD/.$1.lock"
	flock -n "$fd" && return
	say "waiting for another run that uses $1"
	flock -w 3600 "$fd" ||
		die "another run has held $BUILD/.$1.lock for an hour: end it and try again"
}

logged()
{
	local label=$1 log=$2 count=$3 limit=$4 start=$SECONDS last=0 pause=15 pid status=0
	shift 4

	[[ -t 2 ]] && pause=1
	: >"$log"
	timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null &
	pid=$!
	at_exit "kill $pid 2>/dev/null"
	while kill -0 "$pid" 2>/dev/null; do
		if ((SECONDS - start - last >= pause)); then
			last=$((SECONDS - start))
			show_count "$label" "$log" "$count" "$last"
		fi
		sleep 0.2
	done
	wait "$pid" || status=$?
	unset 'EXIT_COMMANDS[-1]'
	[[ -t 2 ]] && printf '\r\033[K' >&2
	return "$status"
}

show_count()
{
	local text

	text="$1: $(grep -cE "$3" "$2" || true) done, $4 s"
	if [[ -t 2 ]]; then
		printf '\r\033[K%s' "$text" >&2
	else
		say "$text"
	fi
}

compiler_of()
{
	local cc=gcc llvm=

	[[ -z ${1:-} ]] ||
		llvm=$(sed -n 's/^CONFIG_CC_VERSION_TEXT=".*clang version \([0-9]*\)\..*/-\1/p' "$1/.config")
	[[ -z $llvm ]] || cc=clang$llvm
	! want_packages ccache || cc="ccache $cc"
	COMPILER=(${llvm:+"LLVM=$llvm"} "CC=$cc")
}

# A copy of the files inside some other repository is none.
is_checkout() { [[ $(git -C "$TOP" rev-parse --show-toplevel 2>/dev/null) == "$TOP" ]]; }

# What git knows or would add; without git, every file of these folders.
our_files()
{
	local folders=(drivers include Documentation tools) file

	cd "$TOP"
	{
		is_checkout && git ls-files -co --exclude-standard -- "${folders[@]}" 2>/dev/null ||
			find "${folders[@]}" -type f 2>/dev/null || true
	} | sort -u | while IFS= read -r file; do
		# a tracked file may have been deleted
		[[ -f $file ]] && printf '%s\n' "$file"
	done
	return 0
}

our_objects() { our_files | sed -n 's,^\(drivers/.*\)\.c$,\1.o,p'; }

# Each access that is looked at costs: see VM_VARIANT in scripts/vm.sh.
patience()
{
	case ${VM_VARIANT:-} in
	debug|races) echo 4 ;;
	*) echo 1 ;;
	esac
}
