# SPDX-License-Identifier: GPL-2.0-only
#
# gnuplot -e "dir='build/bench'" plot.gp: draws DIR/guest-{split,packed}.dat, which report
# has written, as DIR/guest-{split,packed}.svg: a pair of bars for each row, the upper one
# stock's, which has the length 1, the lower one ours.

set terminal svg size 900,1000 font "sans,11" background "white"
set datafile separator "\t"
set style fill noborder
set ytics scale 0 noenhanced
set xtics nomirror
set xlabel "CPU instructions, where stock's are 1"
set bmargin 6
set grid xtics
set key outside bottom center horizontal
set xrange [0:1.1]
set arrow 1 from first 1, graph 0 to first 1, graph 1 nohead linewidth 2 dashtype 2 front

groups = "ring driver memory mapping"
array Colours[4] = [0x9400d3, 0x009e73, 0x56b4e9, 0xe69f00]
# Where the parts of a bar before part i end
edge(first, i) = sum [part = 0:i - 1] column(first + part)

do for [layout in "split packed"] {
	data = dir."/guest-".layout.".dat"
	# stats leaves out what is not in the range of the plot before
	set yrange [*:*]
	stats data using 2 nooutput
	set yrange [STATS_records - 0.4:-0.6]
	set output dir."/guest-".layout.".svg"
	set title "CPU instructions of a guest for each request or packet, ".layout." rings\n{/*0.85 shorter is better; pale: stock 6.12, full: ours, with the ratio beside it}"
	plot for [i = 0:3] data using (0):0:(edge(2, i)):(edge(2, i + 1)):($0 - 0.36):($0 - 0.02):ytic(1) \
	          with boxxyerror linecolor rgb Colours[i + 1] fillstyle solid 0.35 notitle, \
	     for [i = 0:3] data using (0):0:(edge(6, i)):(edge(6, i + 1)):($0):($0 + 0.36) \
	          with boxxyerror linecolor rgb Colours[i + 1] fillstyle solid 0.9 title word(groups, i + 1), \
	     data using (1.02):($0 + 0.18):(sprintf("%.2f", edge(6, 4))) \
	          with labels left notitle, \
	     data using 10:($0 + 0.18) with points pointtype 9 linecolor rgb "red" title "goal"
}
