"""The schema's tests speak with an office, as the flow tests do."""
import pytest

from lib.office import Office


@pytest.fixture(scope="module")
def office(stack):
	there = Office(stack)
	yield there
	there.witness.judge()
