"""Keeps what is written down equal to results/: documents with marks, reports, and the pictures of both.

command                      `make paper` and `make paper-check`
documents, reports, pictures what is compared with results/ or written anew, a file for each kind
marks, answers               a mark in a document, and what it may ask for
sources, facts, clone        what may be asked: studies, benches and pages of results/ that are in git
mismatch                     what is said where the two differ
"""
