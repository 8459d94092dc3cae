"""THE WINDOW: views over `bpost.client`, which does all the work.

app           the one root window: start window, main window, and what they share
pump          carries events into the Tk thread, a few milliseconds at a time
controller    calls the client library in worker threads and brings the answers back
model         what is shown, as plain values: no Tk, no threads
words         sentences, times and initials for people
theme         colours, fonts, sizes, icons; light and dark
widgets       the building blocks of every window
scroller      a list of any length that draws only what is seen
*_w           one window, or part of one, each
demo          a post office and two windows, side by side
"""
