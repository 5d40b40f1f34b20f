# SPDX-License-Identifier: GPL-2.0-only
#
# iperf3, after lib.sh; $what is what its tests are called
#
#  iperf_serve [COMMAND...]  starts the server, by a command that runs it elsewhere and
#                            is no function of the shell; iperf_server is its process
#  iperf_all_ways ADDRESS    TCP and UDP, there and back

iperf_serve()
{
	"$@" iperf3 -s >/dev/null 2>&1 3>&- &
	iperf_server=$!
}

# iperf ADDRESS OPTION...: something has come
iperf()
{
	timeout -s KILL $((60 * patience)) iperf3 -f k -t 2 -c "$@" >/tmp/iperf 2>&1
	cat /tmp/iperf
	awk '$NF == "receiver" && $5 > 0 { good = 1 } END { exit !good }' /tmp/iperf
}

iperf_all_ways()
{
	check "$what: iperf3, TCP" wait_for 5 iperf "$1"
	check "$what: iperf3, TCP, 4 streams" iperf "$1" -P 4
	check "$what: iperf3, TCP, back" iperf "$1" -R
	check "$what: iperf3, UDP" iperf "$1" -u -b 20M
	check "$what: iperf3, UDP, back" iperf "$1" -u -b 20M -R
}
