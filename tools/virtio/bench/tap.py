# SPDX-License-Identifier: GPL-2.0-only
"""TAP for the tests of benchmarks."""


def report(results):
    """Prints results, pairs of a name and a list of problems; true if there is none."""
    print(f"1..{len(results)}")
    for number, (name, problems) in enumerate(results, 1):
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
        for problem in problems:
            print(f"# {problem}")
    return not any(problems for _, problems in results)
