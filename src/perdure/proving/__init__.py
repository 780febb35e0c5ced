"""The proof: whole lives of servers from one number, with everything going wrong, and checked.

The real core, engine, committer and dispatcher run here under a virtual clock on one thread. What
is around them is simulated: workers, clients, the network, the disk, the clock. A *workload* makes
requests, an *auditor* predicts what comes of them, and *checkers* look after every step whether a
promise was broken. After a phase in which anything may go wrong comes one in which nothing does,
and everything that is unfinished must finish. One seed is one run, byte for byte.
"""
