"""Programs that only this repository needs; run from a clone, not installed.

python -m tools.quoting      quotes results in documents, and checks what is quoted (`make paper`)
python -m tools.simulation   how often verdicts are right, on made-up studies (`make simulate`)
"""
