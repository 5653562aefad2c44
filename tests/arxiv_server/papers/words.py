"""What generated papers are composed of, by kind of archive; raw TeX, as arXivRaw serves it."""

KINDS = {
    "cs": "machine",
    "stat": "machine",
    "eess": "machine",
    "q-bio": "machine",
    "q-fin": "machine",
    "econ": "machine",
    "math": "proof",
    "math-ph": "proof",
    "astro-ph": "sky",
}
"""The kind of an archive; those not named are of the kind `matter`."""

SUBJECTS = {
    "machine": [
        "graph transformers",
        "sparse mixtures of experts",
        "stochastic gradient descent",
        "off-policy evaluation",
        "low-rank adapters",
        "differentially private learners",
        'na\\"ive Bayes ensembles',
        'H\\"older-smooth regressors',
        "retrieval indices",
    ],
    "proof": [
        'K\\"ahler manifolds',
        'H\\"ormander operators',
        "Erd\\H{o}s--R\\'enyi graphs",
        "\\'etale cohomology groups",
        "$L^p$-bounded multipliers",
        "$C^{*}$-algebras",
        "Poincar\\'e inequalities",
        "quasi-isometric lattices",
        "mean-field games",
    ],
    "sky": [
        "ultra-diffuse galaxies",
        "$z > 6$ quasars",
        "Ly$\\alpha$ emitters",
        "hot Jupiters",
        "magnetised accretion flows",
        "Wolf--Rayet binaries",
        "weak-lensing maps",
        "brown dwarfs with $T_{\\rm eff} < 700$ K",
    ],
    "matter": [
        'Schr\\"odinger cat states',
        "$\\mathcal{N}=4$ super Yang--Mills amplitudes",
        "twisted bilayer graphene",
        "Bose--Einstein condensates",
        "$B \\to K \\mu^+\\mu^-$ decays",
        "kagome antiferromagnets",
        "trapped ions",
        'M\\"obius resonators',
    ],
}

TITLES = [
    "On the {a} limit of {s}",
    "{A} bounds for {s}",
    "{s}: a {a} approach",
    "Towards a {a} theory of {s} and {t}",
    "Why are {s} {a}?",
    "{A} estimates of $O(n^{{{n}}})$ type for {s}",
    "From {s} to {t}: {n} open problems",
]

ADJECTIVES = [
    "sharp",
    "uniform",
    "non-perturbative",
    "scalable",
    "data-driven",
    "semi-classical",
    "robust",
    "explicit",
    "hierarchical",
    "adiabatic",
    "one-shot",
    "Bayesian",
]

SENTENCES = [
    "We study {s} in the {a} regime and compare them with {t}.",
    "The main result holds for all $n \\ge {n}$, provided that $\\epsilon < 1/{n}$.",
    "Earlier work treated {s} & {t} separately; we show that a {a} view covers both.",
    'In {n} of the {m} cases examined the "{a}" assumption fails by more than {n}\\%.',
    "We don't need the hypothesis $|x| > {n}$, which G\\\"odel's example shows isn't necessary.",
    "A {a} argument, due to Poincar\\'e and Fej\\'er, gives $\\|u\\|_{{L^2}} \\leq C_{{{n}}}$.",
    "Numerical tests on {m} samples agree with the prediction within $\\pm {n}\\,\\sigma$.",
    "As a by-product we obtain a {a} algorithm for {t} which runs in $O(n \\log n)$ time.",
    "Code & data are released under a permissive licence.",
    "This answers a question of Ho\\`ang and \\v{{S}}afa\\v{{r}}\\'ik about {s}.",
]

GIVEN = [
    "Jos\\'e",
    "Ana",
    'Bj\\"orn',
    "Mei-Ling",
    "K.",
    "T. M.",
    "\\'Eva",
    "Priya",
    "Old\\v{r}ich",
    "Sofia",
    "W.",
    "Jean-Fran\\c{c}ois",
]

FAMILY = [
    'M\\"uller',
    "Garc\\'ia",
    "Nov\\'ak",
    "Okafor",
    "Tanaka",
    "O'Brien",
    "van der Berg",
    "S{\\o}rensen",
    'Lindstr{\\"o}m',
    "Rossi",
    "Chen",
    "Iyer",
    "Gon\\c{c}alves",
]

LICENSES = [
    "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
    "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
    "http://creativecommons.org/licenses/by/4.0/",
    "http://creativecommons.org/licenses/by-nc-nd/4.0/",
    "http://creativecommons.org/publicdomain/zero/1.0/",
]
