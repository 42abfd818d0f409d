from tests.conftest import HOME, SLOW


def test_every_slow_test_is_there() -> None:
    for line in SLOW:
        file, _, name = line.partition("::")
        assert f"def {name}(" in (HOME / file).read_text(encoding="utf-8"), line
