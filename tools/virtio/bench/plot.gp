# SPDX-License-Identifier: GPL-2.0-only
#
# gnuplot -e "dir='build/bench'" plot.gp: draws what scripts/bench has put into
# DIR/*.dat as DIR/*.svg.

set terminal svg size 1000,460 font "sans,12" background "white"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 noborder
set xtics rotate by 35 right nomirror
set ytics nomirror
set lmargin 10
set rmargin 14
set bmargin 11
set grid ytics
set key outside bottom center horizontal
# stock's line is always in sight
set yrange [0:1.1<*]
set datafile separator "\t"

set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead linewidth 2 dashtype 2
set label 1 "stock 6.12" at graph 1.01, first 1
set ylabel "time for each buffer, ours / stock"

set output dir."/driver.svg"
set title "Driver's side of the ring: how long a buffer takes, compared with stock 6.12\n{/*0.85 shorter bars are better; 0.5 is half of stock's time; ring of 256, batches of 16}"
plot dir."/driver.dat" using 2:xtic(1) title "old calls", \
     "" using 3 title "pieces from a scatterlist", \
     "" using 4 title "pieces, no scatterlist", \
     "" using 5 title "bare loop: the limit"

set output dir."/variants.svg"
set title "Old calls, compared with stock 6.12: mean over all shapes and layouts\n{/*0.85 shorter bars are better; 0.5 is half of stock's time}"
plot dir."/variants.dat" using 2:xtic(1) title "ours / stock (geometric mean)"

unset arrow 1
unset label 1
set yrange [0:*]
set output dir."/twocores.svg"
set title "Driver and device on two cores, both polling, ring full: how long a buffer takes\n{/*0.85 shorter bars are better}"
set ylabel "ns for each buffer"
plot dir."/twocores.dat" using 2:xtic(1) title "stock 6.12", "" using 3 title "ours"
