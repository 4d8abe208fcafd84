"""Room of the store's analytics: questions that SQL answers from the ledger's tables.

A module is one family of questions: a function that takes a connection and answers with frozen
dataclasses, money in them as numbers with two decimals. All of it reads and nothing writes; both
dialects run the same statements but for the few words that `window` knows for each.
"""
