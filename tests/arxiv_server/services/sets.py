"""ArXiv's categories as OAI-PMH sets: `cs.LG` is `cs:cs:LG`, `hep-th` is `physics:hep-th`."""

GROUPS = {
    "physics": "Physics",
    "math": "Mathematics",
    "q-bio": "Quantitative Biology",
    "cs": "Computer Science",
    "q-fin": "Quantitative Finance",
    "stat": "Statistics",
    "eess": "Electrical Engineering and Systems Science",
    "econ": "Economics",
}

# The archives without suffixes are categories themselves; arXiv lists those twice.
_ARCHIVES = {
    "astro-ph": "CO EP GA HE IM SR",
    "cond-mat": "dis-nn mes-hall mtrl-sci other quant-gas soft stat-mech str-el supr-con",
    "cs": (
        "AI AR CC CE CG CL CR CV CY DB DC DL DM DS ET FL GL GR GT HC IR IT LG LO MA MM MS NA NE "
        "NI OH OS PF PL RO SC SD SE SI SY"
    ),
    "econ": "EM GN TH",
    "eess": "AS IV SP SY",
    "gr-qc": "",
    "hep-ex": "",
    "hep-lat": "",
    "hep-ph": "",
    "hep-th": "",
    "math": (
        "AC AG AP AT CA CO CT CV DG DS FA GM GN GR GT HO IT KT LO MG MP NA NT OA OC PR QA RA RT "
        "SG SP ST"
    ),
    "math-ph": "",
    "nlin": "AO CD CG PS SI",
    "nucl-ex": "",
    "nucl-th": "",
    "physics": (
        "acc-ph ao-ph app-ph atm-clus atom-ph bio-ph chem-ph class-ph comp-ph data-an ed-ph "
        "flu-dyn gen-ph geo-ph hist-ph ins-det med-ph optics plasm-ph pop-ph soc-ph space-ph"
    ),
    "q-bio": "BM CB GN MN NC OT PE QM SC TO",
    "q-fin": "CP EC GN MF PM PR RM ST TR",
    "quant-ph": "",
    "stat": "AP CO ME ML OT TH",
}

_PAIRS = (
    ("math-ph", "math.MP"),
    ("math.ST", "stat.TH"),
    ("cs.IT", "math.IT"),
    ("econ.GN", "q-fin.EC"),
    ("eess.SY", "cs.SY"),
    ("math.NA", "cs.NA"),
)
_SECOND_NAMES = {**dict(_PAIRS), **{second: first for first, second in _PAIRS}}


def set_of(category: str) -> str:
    """Return the narrowest set of a category."""
    archive, _, suffix = category.partition(".")
    group = archive if archive in GROUPS else "physics"
    return ":".join(part for part in (group, archive, suffix) if part)


def sets_of(categories: tuple[str, ...]) -> list[str]:
    """
    Return the sets which a record of these categories names.

    A category with a second name is in the set of that name too: `math.NA` is in `cs:cs:NA`.
    """
    named = [
        set_of(name)
        for category in categories
        for name in (category, _SECOND_NAMES.get(category))
        if name is not None
    ]
    return list(dict.fromkeys(named))


def holds(set_spec: str, categories: tuple[str, ...]) -> bool:
    """Tell whether a paper of these categories, primary or cross-list, is in the set."""
    specs = sets_of(categories)
    return any(spec == set_spec or spec.startswith(f"{set_spec}:") for spec in specs)


def _categories() -> list[str]:
    return sorted(
        f"{archive}.{suffix}" if suffix else archive
        for archive, suffixes in _ARCHIVES.items()
        for suffix in (suffixes.split() or [""])
    )


def list_sets() -> list[tuple[str, str]]:
    """Return every (setSpec, setName) in arXiv's order; below the groups a name is the category."""
    below = [*_ARCHIVES, *_categories()]
    return [*GROUPS.items(), *((set_of(category), category) for category in below)]


KNOWN_SETS = frozenset(spec for spec, _ in list_sets())
