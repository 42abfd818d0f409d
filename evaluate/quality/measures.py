"""The measures of picture quality: what each is called, which way is better, and what it means."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One number of quality.

    Attributes:
        name: unique among them; with the network's title it names the number, as clip_score@openai/….
        title: the same for people, as it stands under an axis.
        network: field of `evaluate.quality.look.Networks`.
        unit: what 1.0 means, in words.
        higher_is_better: the direction.
        meaning: one plain sentence for the report.
        definition: which of the published variants it is.
    """

    name: str
    title: str
    network: str
    unit: str
    higher_is_better: bool
    meaning: str
    definition: str


KID = Measure(
    name="kid",
    title="KID × 1000",
    network="inception",
    unit="squared MMD of Inception features, times 1000",
    higher_is_better=False,
    meaning="How far the pictures are from the real ones of the same samples, as a whole; 0: alike.",
    definition=(
        "Degree-3 polynomial kernel on 2048 features, the U-statistic over pairs of different samples: what the mean "
        "over 100 subsets of 1,000 estimates, with less noise. It can be below 0, by chance."
    ),
)
CMMD = Measure(
    name="cmmd",
    title="CMMD",
    network="cmmd",
    unit="squared MMD of CLIP embeddings, times 1000",
    higher_is_better=False,
    meaning="The same with CLIP's eyes, which see contents and style rather than texture; 0: alike.",
    definition=(
        "Gaussian kernel, sigma 10, the U-statistic over pairs of different samples: the published V-statistic, "
        "which the notes give, grows as samples get fewer. It can be below 0, by chance."
    ),
)
FID = Measure(
    name="fid",
    title="FID",
    network="inception",
    unit="squared Fréchet distance of Inception features",
    higher_is_better=False,
    meaning="The same as KID, under the name that tables know; it falls as samples grow, so compare at one number.",
    definition=(
        "On torch-fidelity's features, resized as TensorFlow 1 did it: not clean-fid's. Per draw, then averaged. No "
        "interval: to resample is to have fewer different pictures, which raises it."
    ),
)
CLIP_SCORE = Measure(
    name="clip_score",
    title="CLIP score",
    network="clip",
    unit="100 times the cosine of picture and caption, -100 to 100",
    higher_is_better=True,
    meaning="How well the pictures fit their captions. A weak control raises it: read it beside the adherence.",
    definition="100 cos, not clipped at 0, as in tables made with torchmetrics; the scale of 0.26 is cos.",
)
AESTHETIC = Measure(
    name="aesthetic",
    title="aesthetic score",
    network="aesthetic",
    unit="points, about 1 to 10",
    higher_is_better=True,
    meaning="How much people would like the pictures, as a model guesses.",
    definition="LAION's first predictor, one linear layer on CLIP ViT-L/14; not the second one's scale.",
)
MEASURES = (KID, CMMD, FID, CLIP_SCORE, AESTHETIC)
