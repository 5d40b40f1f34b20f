# SPDX-License-Identifier: GPL-2.0-only
#
# gnuplot -e "dir='build/bench'" plot.gp: draws DIR/guest-*.dat, which report has
# written, as DIR/guest-*.svg.

set terminal svg size 1100,600 font "sans,11" background "white"
set style data histograms
set style fill solid 0.8 noborder
set xtics rotate by 45 right nomirror
set ytics nomirror
set lmargin 10
set rmargin 14
set bmargin 14
set grid ytics
set key outside bottom center horizontal
# stock's line is always in sight
set yrange [0:1.1<*]
set datafile separator "\t"

set output dir."/guest-ratio.svg"
set title "In a guest: CPU instructions for each request or packet, compared with stock 6.12\n{/*0.85 shorter bars are better; 0.5 is half of stock's instructions}"
set ylabel "instructions, ours / stock"
set style histogram clustered gap 1
set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead linewidth 2 dashtype 2
set label 1 "stock 6.12" at graph 1.01, first 1
plot dir."/guest-ratio.dat" using 2:xtic(1) title "ring", \
     "" using 3 title "ring, driver, memory, mapping", \
     "" using 4 title "whole guest", \
     "" using 0:5 with points pointtype 2 linecolor "black" title "goal for the ring", \
     "" using 0:6 with points pointtype 4 linecolor "red" title "goal for the sum"
unset arrow 1
unset label 1
set yrange [0:*]

set output dir."/guest-objects.svg"
set title "In a guest: where the CPU instructions of each request or packet go\n{/*0.85 shorter bars are better}"
set ylabel "instructions"
set style histogram rowstacked
set boxwidth 0.7
set xtics font "sans,8"
plot for [i = 2:5] dir."/guest-objects.dat" using i:xtic(1) \
     title word("ring driver memory mapping", i - 1)
