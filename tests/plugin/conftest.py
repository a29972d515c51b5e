"""An office at the module's stack. Whatever a module did, the witness judges it in the end."""
import pytest

from lib.office import Office


@pytest.fixture(scope="module")
def office(stack):
	there = Office(stack)
	yield there
	there.witness.judge()
