"""What the counts of an experiment say, as pure functions of the counts.

tally.py        what was counted: people and conversions by arm; tallies add
beta.py         the beta distribution, by its textbook formulas
bayes.py        what to believe: how likely each arm is the best, what choosing it may cost, in which range it lies
sequential.py   what is proved, whenever one looks: evidence, p-values and intervals that peeping does not spoil
mismatch.py     whether arms got the shares they should have: if not, nothing else can be trusted
need.py         how many people it takes
thompson.py     a bandit's choice: the same for the same person and the same counts
"""
