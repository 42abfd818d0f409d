"""The published weights that annotators load: where each is from, which bytes it is, under what licence."""

from dataclasses import dataclass

REPOSITORY = "lllyasviel/Annotators"
REVISION = "982e7edaec38759d914a963c48c4726685de7d96"
DWPOSE, DWPOSE_REVISION = "yzd-v/DWPose", "f7c16a3d45ad3783db41471848c80fbc281cabac"
CMU = "CMU OpenPose: non-commercial"  # https://github.com/CMU-Perceptual-Computing-Lab/openpose, LICENSE


@dataclass(frozen=True)
class File:
    """One published file, pinned.

    Attributes:
        sha256: of the published file; another file of that name is refused, unless it is said that another is meant.
        megabytes: about, for whoever has to download it.
    """

    sha256: str
    megabytes: int
    licence: str
    repository: str = REPOSITORY
    revision: str = REVISION


@dataclass(frozen=True)
class Model:
    """One published folder of a transformers model; its files are recorded with their sha256 as they were found."""

    licence: str
    revision: str | None = None


WEIGHTS: dict[str, File] = {
    "ControlNetHED.pth": File("5ca93762ffd68a29fee1af9d495bf6aab80ae86f08905fb35472a083a4c7a8fa", 29, "Apache-2.0"),
    "table5_pidinet.pth": File(
        "80860ac267258b5f27486e0ef152a211d0b08120f62aeb185a050acc30da486c", 3, "PiDiNet: research only"
    ),
    "dpt_hybrid-midas-501f0c75.pt": File(
        "501f0c75b3bca7daec6b3682c5054c09b366765aef6fa3a09d03a5cb4b230853", 493, "MIT"
    ),
    "mlsd_large_512_fp32.pth": File(
        "5696f168eb2c30d4374bbfd45436f7415bb4d88da29bea97eea0101520fba082", 6, "Apache-2.0"
    ),
    "body_pose_model.pth": File("25a948c16078b0f08e236bda51a385d855ef4c153598947c28c0d47ed94bb746", 209, CMU),
    "hand_pose_model.pth": File("b76b00d1750901abd07b9f9d8c98cc3385b8fe834a26d4b4f0aad439e75fc600", 147, CMU),
    "facenet.pth": File("8beb52e548624ffcc4aed12af7aee7dcbfaeea420c75609fee999fe7add79d43", 154, CMU),
    "sk_model.pth": File("c686ced2a666b4850b4bb6ccf0748031c3eda9f822de73a34b8979970d90f0c6", 17, "MIT"),
    "sk_model2.pth": File("30a534781061f34e83bb9406b4335da4ff2616c95d22a585c1245aa8363e74e0", 17, "MIT"),
    "netG.pth": File("ccabdcc3f5cf3c07cf65d58776acb21df7dfda825cdc70c9766a93fd62bfc488", 218, "MIT"),
    "yolox_l.onnx": File(
        "7860ae79de6c89a3c1eb72ae9a2756c0ccfbe04b7791bb5880afabd97855a411", 217, "Apache-2.0", DWPOSE, DWPOSE_REVISION
    ),
    "dw-ll_ucoco_384.onnx": File(
        "724f4ff2439ed61afb86fb8a1951ec39c6220682803b4a8bd4f598cd913b1843", 134, "Apache-2.0", DWPOSE, DWPOSE_REVISION
    ),
}
NVIDIA = "NVIDIA SegFormer: non-commercial"  # https://github.com/NVlabs/SegFormer, LICENSE
CLIP_SIZES = ("base-patch32", "base-patch16", "large-patch14", "large-patch14-336")
MODELS: dict[str, Model] = {
    **{f"openmmlab/upernet-convnext-{size}": Model("MIT") for size in ("tiny", "small", "base", "large", "xlarge")},
    **{f"nvidia/segformer-b{size}-finetuned-ade-512-512": Model(NVIDIA) for size in range(5)},
    "nvidia/segformer-b5-finetuned-ade-640-640": Model(NVIDIA),
    **{f"shi-labs/oneformer_ade20k_{trunk}_large": Model("MIT") for trunk in ("swin", "dinat")},
    "shi-labs/oneformer_ade20k_swin_tiny": Model("MIT"),
    **{f"Salesforce/blip-image-captioning-{size}": Model("BSD-3-Clause") for size in ("base", "large")},
    **{f"openai/clip-vit-{size}": Model("MIT") for size in CLIP_SIZES},  # https://github.com/openai/CLIP, LICENSE
    "stable-diffusion-v1-5/stable-diffusion-v1-5/vae": Model("CreativeML OpenRAIL-M"),
    **{f"tiny/{name}": Model("Apache-2.0") for name in ("depth", "segmentation", "openpose")},  # of this repository
    "Intel/dpt-large": Model("Apache-2.0"),
    "Intel/dpt-hybrid-midas": Model("Apache-2.0"),
    "LiheYoung/depth-anything-small-hf": Model("Apache-2.0"),
    "LiheYoung/depth-anything-base-hf": Model("Apache-2.0"),
    "LiheYoung/depth-anything-large-hf": Model("Apache-2.0"),
    "depth-anything/Depth-Anything-V2-Small-hf": Model("Apache-2.0"),
    "depth-anything/Depth-Anything-V2-Base-hf": Model("CC-BY-NC-4.0"),
    "depth-anything/Depth-Anything-V2-Large-hf": Model("CC-BY-NC-4.0"),
}
