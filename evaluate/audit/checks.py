"""Which checks there are, in the order in which their verdicts are read."""

from collections.abc import Callable, Iterator

from evaluate.audit.agreement import check_agreement
from evaluate.audit.alignment import check_alignment
from evaluate.audit.bookkeeping import check_bookkeeping
from evaluate.audit.captions import check_captions
from evaluate.audit.duplicates import check_duplicates
from evaluate.audit.evidence import Evidence
from evaluate.audit.pairing import check_pairing
from evaluate.audit.pictures import check_pictures
from evaluate.audit.polarity import check_polarity
from evaluate.audit.size import check_size
from evaluate.audit.splits import check_splits
from evaluate.audit.statuses import check_statuses
from evaluate.audit.values import check_values
from evaluate.audit.verdict import Verdict
from evaluate.audit.words import check_words

Check = Callable[[Evidence], Iterator[Verdict]]

CHECKS: dict[str, Check] = {
    "bookkeeping": check_bookkeeping,
    "size": check_size,
    "values": check_values,
    "polarity": check_polarity,
    "alignment": check_alignment,
    "pairing": check_pairing,
    "agreement": check_agreement,
    "statuses": check_statuses,
    "captions": check_captions,
    "words": check_words,
    "duplicates": check_duplicates,
    "splits": check_splits,
    "pictures": check_pictures,
}
