"""Search keys: what someone would type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.paper.search_keys import ascii_key


@pytest.mark.parametrize(
    ("raw", "typed"),
    [
        (r"Schr\"odinger", "Schrodinger"),
        (r"G\"{o}del and {\O}rsted", "Godel and Orsted"),
        (r"Stanis{\l}aw Jastrz\k{e}bski", "Stanislaw Jastrzebski"),
        (r"\'Edgar Rold\'an", "Edgar Roldan"),
        (r"na\"\i ve \c c \v{S}koda", "naive c Skoda"),
        (r"Erd\H{o}s, \AA ngstr{\"o}m, Stra\ss e", "Erdos, Angstrom, Strasse"),
        (r"{\"O}. \"Ornek", "O. Ornek"),
        ("Zoë Łukasz naïve", "Zoe Lukasz naive"),
        (r"$\alpha$ and $\sum_i x_i$", r"$\alpha$ and $\sum_i x_i$"),
        (r"\cite{x} \LaTeX", r"\citex \LaTeX"),
        (r"A \"{BERT}", r"A \"BERT"),
    ],
)
def test_ascii_key(raw: str, typed: str) -> None:
    assert ascii_key(raw) == typed


@given(st.text())
def test_a_key_is_always_ascii(text: str) -> None:
    assert ascii_key(text).isascii()
