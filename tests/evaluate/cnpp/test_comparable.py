"""Whatever differs from how a published number was made is said, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from evaluate.cnpp.comparable import RESIZED, comparable
from evaluate.cnpp.published import Published, published_of
from evaluate.plan import describe_base
from evaluate.spec import Spec
from tests.evaluate.synthetic import spec as synthetic

LIKE_THEIRS = {
    "geometry": "squash",
    "draws": 4,
    "scheduler": "unipc",
    "steps": 20,
    "guidance": 7.5,
    "negative_prompt": "worst quality, low quality",
    "precision": "fp16",
}
WEIGHTS = [{"file": "ControlNetHED.pth", "source": "lllyasviel/Annotators", "sha256": "0", "licence": "Apache-2.0"}]


def row(measure: str = "hed_ssim@cnpp", method: str = "ControlNet (SD1.5)") -> Published:
    return next(each for each in published_of(measure) if each.method == method)


def spec(**changes: Any) -> Spec:
    """An evaluation made as the published ones, but for some fields of its protocol."""
    made = synthetic(asked=5_000, annotator="hed")
    protocol = replace(
        made.protocol,
        dataset="MultiGen-20M_canny_eval",
        base=describe_base("stable-diffusion-v1-5/stable-diffusion-v1-5", "0123456789abcdef"),
        resolution=512,
        settings=LIKE_THEIRS,
    )
    return replace(made, protocol=replace(protocol, **changes))


def but(**settings: Any) -> Spec:
    return spec(settings={**LIKE_THEIRS, **settings})


def test_an_evaluation_made_as_theirs_differs_only_in_how_pictures_are_resized() -> None:
    assert comparable(spec(), row(), weights=WEIGHTS) == [RESIZED]


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        (but(scheduler="ddim"), "scheduler: 'ddim', published: 'unipc'"),
        (but(steps=50), "steps: 50, published: 20"),
        (but(guidance=9.0), "guidance: 9.0, published: 7.5"),
        (but(negative_prompt=""), "negative prompt: '', published: 'worst quality, low quality'"),
        (but(geometry="centre"), "how pictures were made square: 'centre', published: 'squash'"),
        (but(draws=1), "draws of a prompt: 1, published: 4"),
        (but(precision="no"), "precision: 'no', published: 'fp16'"),
        (but(control_scale=0.5), "control_scale: 0.5, published: not used"),
        (but(prompts="none"), "prompts: 'none', published: not used"),
        (but(beside="none"), "beside: 'none', published: not used"),
        (but(method="sdedit"), "method: 'sdedit', published: not used"),
        (spec(resolution=128), "resolution: 128, published: 512"),
        (spec(base="other/base"), "base: other/base, published: stable-diffusion-v1-5"),
        (spec(annotator="softedge"), "hints by annotator softedge, published: hed"),
        (
            spec(dataset="0" * 32),
            "pictures of dataset 00000000, published: of MultiGen-20M_canny_eval's validation split",
        ),
        (spec(captions="abc"), "prompts by another family (abc), published: the set's own"),
        (spec(further={"depth": "1"}), "beside it depth was shown, published: the condition alone"),
        (replace(spec(), asked=500), "500 prompts, published: 5,000 (as we recall)"),
    ],
)
def test_each_difference_is_said_alone(ours: Spec, said: str) -> None:
    assert set(comparable(ours, row(), weights=WEIGHTS)) == {RESIZED, said}


def test_settings_that_an_older_evaluation_lacks_were_those_of_its_time() -> None:
    older = spec(settings={name: value for name, value in LIKE_THEIRS.items() if name != "geometry"})
    assert "how pictures were made square: 'centre', published: 'squash'" in comparable(older, row())


def test_another_file_under_the_name_of_the_judge_is_said() -> None:
    (local,) = ({**each, "source": "local file of that name"} for each in WEIGHTS)
    assert "ControlNetHED.pth is another file than the published one of that name" in comparable(
        spec(), row(), weights=[local]
    )


def test_the_judge_of_classes_is_never_theirs() -> None:
    judge = [{"file": "model.safetensors", "source": "facebook/mask2former-swin-large-ade-semantic"}]
    found = comparable(spec(), row("seg_miou@cnpp-ade"), weights=judge)
    assert "judged by facebook/mask2former-swin-large-ade-semantic, published: by OpenMMLab's Mask2Former" in found
    assert "road and skyscraper, drawn in one colour, are left out here" in found
    assert [why for why in found if "JPEG" in why]


def test_a_recalled_number_is_never_comparable() -> None:
    (recalled,) = (
        each
        for each in published_of("seg_miou@cnpp-ade")
        if each.evidence == "recalled" and each.method.startswith("ControlNet (")
    )
    assert comparable(spec(), recalled)[0] == "the published number is recalled: nobody here has read it"


def test_of_a_method_whose_pictures_nobody_describes_that_is_said() -> None:
    found = comparable(spec(), row("hed_ssim@cnpp", "UniControl (SD1.5)"), weights=WEIGHTS)
    assert found == [RESIZED, "no published code says how its pictures were drawn"]
