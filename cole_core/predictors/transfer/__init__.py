"""Transfer: a surrogate of one task that also reads what was measured on other tasks.

Each old task has a surrogate of its own. What it expects of an architecture stands as one more
column beside the architecture's vector; `TransferSurrogate` weighs those columns and learns the
rest.
"""
