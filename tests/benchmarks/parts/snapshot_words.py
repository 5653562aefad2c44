"""Parts of words, names and terms, of which `snapshot_lines` makes a natural-looking text."""


def split(words: str) -> list[str]:
    """Return the words of a list whose words may have spaces, written as `@`."""
    return [word.replace("@", " ") for word in words.split()]


COMMON = split(
    "the of a and in we to is that for with on by are as this an from which our at be can it "
    "have show has model using between results these data based method both such not or "
    "in@this@paper we@propose we@show@that we@prove@that state-of-the-art large-scale"
)
STEMS = split(
    "abel algebra angular approxim asympt bary bayes boson bound catal causal chaos cluster "
    "cohomo combin comput condens conform converg correl cosmo coupl critic cryst curv decay "
    "deform density differ diffus dimens discret disorder distrib dynam eigen elast electr "
    "embed energ entangl entrop equilib estim evol excit fermion ferro field fluct flux foli "
    "frequen galax gauge geodes geometr gradient graph gravit hadron halo harmon heur holom "
    "homogen ident inflat integr interact invari ioniz isotrop kern kinet lattic learn lensing "
    "linear local magnet manifold markov matric meson metric modul moment morph nebul network "
    "neur neutrin nonlin norm nucle operat optim orbit oscill parab param parit particl percol "
    "perturb phas photon plasm polar polynom potent predict probab project proton quant quark "
    "quasi radi random reduc reflect regular relax renorm reson resol rotat scal scatter sequen "
    "simul singul solit spectr spher spin stabil statist stellar stochast string struct super "
    "surfac symm symplect tempor tensor therm topolog torsion train transf transit transport "
    "tunnel turbul uncert variat vector vertic viscos vort wave weak"
)
ENDINGS = split("ion ions al ally ic ity ation e es ing ed ive or ance ous able ism ment s ar")
STARTS = ["", "", "", "", "", "non", "pre", "multi", "semi", "hyper", "inter", "sub", "un", "self-"]
FORMULAS = split(
    r"$\alpha$ $m@=@2$ $\mathcal{O}(n@\log@n)$ $\Lambda$CDM $L^2(\mathbb{R}^d)$ $\sqrt{s}=13$~TeV "
    r"$\{x_i\}_{i=1}^{n}$ $\mathbb{Z}/p\mathbb{Z}$ $z\sim@0.7$ $10^{-3}$ $H_0$ $\epsilon>0$ "
    r"$(k,\ell)$-sparse $\gamma\gamma$ 95\% $B\to@K^{*}\mu^+\mu^-$ \cite{Smith} {\it@ab@initio} "
    r"Schr\"odinger Erd\H{o}s K\"ahler Poincar\'e H\"older It\^o R\'enyi \v{C}ech na\"{\i}ve"
)
RAW = ["Schrödinger", "\N{EN DASH}", "\N{GREEK SMALL LETTER MU}m", "naïve", "10\N{DEGREE SIGN}"]
GIVEN = split(
    "Anna Wei Maria Hiroshi Pavel Louis Elena David Chen Fatima John Priya Olga Carlos Ingrid "
    r"Yuki Mohammed Sarah Jos\'e Zo\"e Bj\"orn Fran\c{c}ois Li Rahul Kim A. B. C. D. E.@L. "
    r"P.@M. C.-P. J. K. M. R. S. T. V. X. Y. Z.@Q."
)
SYLLABLES = split(
    "ba ber chan da el fer gar ha in jo kov la lin ma mann mi na nov o pe qui ra ros sa sen shi "
    r"son ta tel u va vi wa wang xu ya zh zo g\'a l\"o m\"u \v{c}e s{\o} \~ne r\'e"
)
CATEGORIES = split(
    "cs.LG cs.CV cs.CL stat.ML math.AP math.CO math.NT math.PR math-ph math.MP hep-ph hep-th "
    "hep-ex astro-ph.GA astro-ph.CO astro-ph.HE gr-qc quant-ph cond-mat.str-el cond-mat.mtrl-sci "
    "cond-mat.stat-mech physics.optics physics.flu-dyn eess.SP eess.IV q-bio.NC econ.EM nucl-th"
)
LICENSES = ["http://arxiv.org/licenses/nonexclusive-distrib/1.0/"] * 13 + [
    "http://creativecommons.org/licenses/by/4.0/",
    "http://creativecommons.org/licenses/by/4.0/",
    "http://creativecommons.org/licenses/by/4.0/",
    "http://creativecommons.org/licenses/by-nc-nd/4.0/",
    "http://creativecommons.org/licenses/by-nc-sa/4.0/",
    "http://creativecommons.org/publicdomain/zero/1.0/",
]
