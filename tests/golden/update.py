"""`python -m tests.golden.update`, from the repository's root, keeps today's content as golden.

Run it when content was meant to change, together with a new version and a line in CHANGELOG.md:
a history of the version before can then no longer be continued, only begun anew.
"""

from __future__ import annotations

from tests.golden.golden_digests import FILE, golden_digests, keep, kept_digests


def main() -> None:
    """Writes the digests and says which tables changed."""
    before = kept_digests() if FILE.exists() else {}
    after = golden_digests()
    keep(after)
    changed = [name for name in after if after[name] != before.get(name)]
    changed += [name for name in before if name not in after]
    print(f"{FILE.name}: {', '.join(changed) if changed else 'nothing'} changed")


if __name__ == "__main__":
    main()
