"""A report as Markdown: tables to paste into an issue or a model card."""

from evaluate.anchors import CEILING, CONTROLLED, FLOOR, SPAN
from evaluate.page.render import cell, code, count, number, short, with_interval
from evaluate.quality.quality import Line as Quality
from evaluate.report.findings import Findings
from evaluate.report.method import made_how
from evaluate.report.summary import Line, Summary, verdict
from evaluate.spec import Spec
from evaluate.statistics import REPLICATES
from manifests.account import Account


def as_markdown(findings: Findings) -> str:
    """All tables."""
    spec, summary = findings.spec, findings.summary
    condition = spec.protocol.condition
    said = verdict(summary, condition=condition, method=spec.protocol.method)
    return (
        f"# {cell(spec.run)}: {cell(condition)} adherence\n\n{said}\n\n"
        f"{_scores(summary)}\n{coverage(spec, summary)} {made_how(spec.protocol)}"
        "Normalised: 0 is control off, 1 is the real picture through the autoencoder. "
        f"Brackets are 95% intervals of a bootstrap over samples ({REPLICATES} replicates). "
        f"{found_among(summary)}Evaluation {spec.fingerprint}, protocol {spec.protocol.fingerprint}.\n"
        f"{_truth(findings)}{_strata(findings)}{_annotators(findings)}{_published(findings)}{_quality(findings)}"
        f"{account_as_markdown(spec.account) if spec.account else ''}"
    )


def _scores(summary: Summary) -> str:
    arms = list(summary.lines[0].arms)
    head = f"| measure | {' | '.join(arms)} | normalised |\n|---|{'---:|' * (len(arms) + 1)}\n"
    return head + "".join(
        f"| {_name(line)} | {' | '.join(number(line.arms[arm]) for arm in arms)} | {with_interval(line.normalised)} |\n"
        for line in summary.lines
    )


def _name(line: Line) -> str:
    return f"**{line.measure.name}**" if line.measure.primary else line.measure.name


def found_among(summary: Summary) -> str:
    """How often the condition asked for was told from others, in a sentence; "" where there are no others."""
    if summary.retrieval is None:
        return ""
    percent = {arm: f"{100 * value.value:.0f}%" for arm, value in summary.retrieval.arms.items()}
    chance = summary.retrieval.chance
    return (
        f"Among {round(1 / chance)} conditions the one asked for is likest in {percent[CONTROLLED]} of the pictures "
        f"({percent[FLOOR]} with the control off, {percent[CEILING]} at the ceiling; chance {100 * chance:.0f}%). "
    )


def coverage(spec: Spec, summary: Summary) -> str:
    """How many of the samples asked for were scored, and why not all."""
    draws = f", {summary.draws} pictures each" if summary.draws > 1 else ""
    wanted, split = spec.protocol.settings["samples"], spec.protocol.settings.get("split", "test")
    short_of = f" {wanted} were wanted: the {split} split has no more." if spec.asked < wanted else ""
    if summary.samples == spec.asked:
        return f"{summary.samples} {split} samples{draws}, all scored.{short_of}"
    empty = "the rest asks for nothing (empty at this crop)"
    return f"{summary.samples} of {spec.asked} {split} samples{draws}; {empty}.{short_of}"


def _truth(findings: Findings) -> str:
    truth = findings.summary.truth
    if truth is None:
        return ""
    head = "| measure | floor | controlled | ceiling | the annotator itself |\n|---|---:|---:|---:|---:|\n"
    rows = "".join(
        f"| {_name(line)} | {' | '.join(with_interval(value) for value in line.arms.values())} |\n"
        for line in truth.lines
    )
    return f"\n## Against the truth\n\n{truth.samples} samples of which it is known.\n\n{head}{rows}"


def _strata(findings: Findings) -> str:
    if not findings.strata:
        return ""
    rows = "".join(
        f"| {cell(each.trait)} | {cell(one.name)} | {one.samples} | {number(one.controlled)} | "
        f"{with_interval(one.share)} |\n"
        for each in findings.strata
        for one in each.strata
    )
    measure = findings.summary.primary.measure.name
    return f"\n## By stratum\n\n| trait | range | samples | {measure} | normalised |\n|---|---|---:|---:|---:|\n{rows}"


def _annotators(findings: Findings) -> str:
    if len(findings.judged) < 2:
        return ""
    rows = "".join(
        f"| {cell(each.family)} | {each.measure.name} | {each.samples} | {with_interval(each.share)} | "
        f"{with_interval(each.overfit) if each.overfit else '–'} |\n"
        for each in findings.judged
    )
    return (
        "\n## In the eyes of each annotator\n\n| annotator | measure | samples | normalised | overfit index |\n"
        f"|---|---|---:|---:|---:|\n{rows}"
    )


def _published(findings: Findings) -> str:
    found = findings.published
    if found is None:
        return ""
    ours = f"| **this run** | {with_interval(found.arms[CONTROLLED])} | {found.samples:,} prompts |\n"
    rows = "".join(
        f"| {cell(each.published.method)} | {each.published.value:g} ({each.published.evidence}) | "
        f"{cell('; '.join(each.why_not)) or 'yes'} |\n"
        for each in found.beside
    )
    head = f"| method | {found.measure.name} | comparable? why not |\n|---|---:|---|\n"
    better = "higher" if found.measure.higher_is_better else "lower"
    unit = f"{found.measure.unit}, times {found.factor:g}; {better} is better"
    return f"\n## In ControlNet++'s arithmetic\n\n{found.measure.name}: {unit}.\n\n{head}{ours}{rows}"


def _quality(findings: Findings) -> str:
    if not findings.quality:
        return ""
    rows = "".join(
        f"| {cell(line.name)}, {'higher' if line.measure.higher_is_better else 'lower'} is better | "
        f"{' | '.join(_of_arms(line))} | {cell(' '.join(line.numbers.notes))} |\n"
        for line in findings.quality
    )
    return f"\n## Quality\n\n| measure | floor | controlled | ceiling | notes |\n|---|---:|---:|---:|---|\n{rows}"


def _of_arms(line: Quality) -> list[str]:
    """Floor, controlled and ceiling, where they were computed."""
    arms = line.numbers.arms
    return [short(arms[arm].value) if arm in arms else "–" for arm in SPAN]


def account_as_markdown(account: Account) -> str:
    """Which rows were drawn, and why each of the others was not."""
    lines = [f"| all rows of the dataset | {count(account.rows)} |"]
    for out in account.kept_out:
        lines.append(f"| kept out: {cell(out.said)} | −{count(out.rows)} |")
        if out.reason == "where":
            lines += [
                f"| · of {count(account.judged)}, {code(part.text)} {account.effect(part)} | |"
                for part in account.conjuncts
            ]
    lines.append(f"| **drawn** | **{count(account.drawn)}** |")
    if account.wordless:
        lines.append(f"| · of these without words: their caption is empty | {count(account.wordless)} |")
    return "\n## Which rows it was trained on\n\n| | rows |\n|---|---:|\n" + "\n".join(lines) + "\n"
