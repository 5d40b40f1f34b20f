# SPDX-License-Identifier: GPL-2.0-only
#
# gnuplot -e "dir='build/bench'" plot.gp: draws what scripts/bench has put into
# DIR/*.dat as DIR/*.svg.

set terminal svg size 960,420 font "sans,12" background "white"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 noborder
set xtics rotate by -25 nomirror
set ytics nomirror
set rmargin 12
set grid ytics
set key outside top horizontal
set yrange [0:*]
set datafile separator "\t"

set output dir."/driver.svg"
set title "Driver's side alone, ring of 256, batches of 16"
set ylabel "ns for each buffer, to stock"
set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead dashtype 2
plot dir."/driver.dat" using 2:xtic(1) title "old calls", \
     "" using 3 title "pieces from a scatterlist", \
     "" using 4 title "pieces, no scatterlist", \
     "" using 5 title "bare loop: the limit"

set output dir."/variants.svg"
set title "Geometric mean over all shapes and layouts, old calls"
plot dir."/variants.dat" using 2:xtic(1) title "ours to stock"

unset arrow 1
set output dir."/twocores.svg"
set title "Driver and device on two cores, both polling, ring full"
set ylabel "ns for each buffer"
plot dir."/twocores.dat" using 2:xtic(1) title "stock", "" using 3 title "ours"
