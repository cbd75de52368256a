"""Statistics over seeds: arrays and frames in, numbers out. Nothing here knows a study.

compare         families of comparisons with verdicts: against a baseline, or all pairs; family does the work
comparison      what a comparison is, and the rules under which it is made
pair_tests      one pair tested by itself; unpaired: without a common seed; guards: what a verdict must stand
seed_table      means of every variant, with t-intervals
paired          one mean, one paired difference: interval, t-test, sizes, what pairing gained; sign_flip: its test
crossed_error   of a mean over two crossed samples, as seeds and images; failures: failed runs as the worst results
shape           collapses and skew of a row, and tests that allow for them; signs that nothing was learned
equivalence     two one-sided tests within a margin; seed_forecast: seeds that an open comparison still needs
holm, max_t     corrections for a family: of any p, and of differences by joint sign flips
verdict         what may be said, and in which words
interims/       analyses while seeds are added: tests that stay valid, and their boundaries
power           what n seeds can find
factorial/      main effects and interactions of crossed factors
outcomes/       which run got which image right: errors over new seeds and new images, also by class
tasks/          several tasks together: aggregates; on how many a difference is shown, and where it varies
"""
