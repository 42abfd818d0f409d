"""Untrained models of transformers whose answers vary over a picture, so that parity with them means something."""

from pathlib import Path

import torch
import transformers as hf
from torch import nn

ADE20K = 150  # classes
TOKENIZER = Path(__file__).parents[2] / "train/tiny_base/model/tokenizer"
SWIN = {
    "image_size": 64,
    "embed_dim": 24,
    "depths": [1, 1, 1, 1],
    "num_heads": [1, 2, 3, 6],
    "window_size": 4,
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
}
DECODER = {
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_feedforward_dim": 64,
    "dim_feedforward": 64,
    "num_attention_heads": 4,
    "hidden_dim": 32,
    "num_queries": 20,
    "num_labels": ADE20K,
}
SMALL = {"height": 128, "width": 128}
SHORT = {"shortest_edge": 128, "longest_edge": 256}


def upernet(folder: Path) -> None:
    """UPerNet-ConvNeXt-small at its true size: 82 million parameters, pictures of 512 pixels."""
    stages = ["stage1", "stage2", "stage3", "stage4"]
    backbone = hf.ConvNextConfig(depths=[3, 3, 27, 3], hidden_sizes=[96, 192, 384, 768], out_features=stages)
    config = hf.UperNetConfig(backbone_config=backbone, num_labels=ADE20K, auxiliary_in_channels=384)
    _save(hf.UperNetForSemanticSegmentation(config), hf.SegformerImageProcessor(do_reduce_labels=True), folder)


def segformer(folder: Path, classes: int = ADE20K) -> None:
    """SegFormer-B0 at its true size."""
    config = hf.SegformerConfig(num_labels=classes)
    _save(hf.SegformerForSemanticSegmentation(config), hf.SegformerImageProcessor(size=SMALL), folder)


def beit(folder: Path) -> None:
    """A small BEiT."""
    config = hf.BeitConfig(
        hidden_size=48,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=64,
        image_size=128,
        out_indices=[1, 2, 3, 4],
        num_labels=ADE20K,
        use_relative_position_bias=True,
    )
    _save(hf.BeitForSemanticSegmentation(config), hf.BeitImageProcessor(size=SMALL, do_center_crop=False), folder)


def mask2former(folder: Path) -> None:
    """A small Mask2Former."""
    config = hf.Mask2FormerConfig(
        backbone_config=hf.SwinConfig(**SWIN), feature_size=32, mask_feature_size=32, **DECODER
    )
    model = _spread(hf.Mask2FormerForUniversalSegmentation(config))
    _save(model, hf.Mask2FormerImageProcessor(size=SHORT, size_divisor=32), folder)


def maskformer(folder: Path) -> None:
    """A small MaskFormer."""
    decoder = hf.DetrConfig(
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        num_queries=20,
        use_timm_backbone=False,
        backbone=None,
        backbone_config=hf.ResNetConfig(),
    )
    config = hf.MaskFormerConfig(
        backbone_config=hf.SwinConfig(**SWIN),
        decoder_config=decoder,
        fpn_feature_size=32,
        mask_feature_size=32,
        num_labels=ADE20K,
    )
    model = _spread(hf.MaskFormerForInstanceSegmentation(config))
    _save(model, hf.MaskFormerImageProcessor(size=SHORT, size_divisor=32), folder)


def oneformer(folder: Path) -> None:
    """A small OneFormer, which reads its task through the tokenizer of the tiny base."""
    config = hf.OneFormerConfig(
        backbone_config=hf.SwinConfig(**SWIN),
        conv_dim=32,
        mask_dim=32,
        text_encoder_width=32,
        text_encoder_num_layers=1,
        query_dec_layers=1,
        is_training=False,
        **DECODER,
    )
    pictures = hf.OneFormerImageProcessor(size=SHORT, class_info_file=None)
    processor = hf.OneFormerProcessor(pictures, hf.CLIPTokenizer.from_pretrained(TOKENIZER))
    _save(_spread(hf.OneFormerForUniversalSegmentation(config)), processor, folder)


WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] a photo ##graph of cat dog on the mat red blue two people in water tree ##s sky"


@torch.no_grad()
def blip(folder: Path, *, silent: bool = False) -> None:
    """A small BLIP of some twenty words; a `silent` one ends every sentence before it begins."""
    vocabulary = folder.with_suffix(".txt")
    vocabulary.write_text("\n".join(WORDS.split()))
    tokenizer = hf.BertTokenizer(str(vocabulary), bos_token="[DEC]")
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "encoder_hidden_size": 48,
        "max_position_embeddings": 64,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.sep_token_id,
        "sep_token_id": tokenizer.sep_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        "hidden_size": 48,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": 64,
        "patch_size": 16,
    }
    config = hf.BlipConfig(text_config=text, vision_config=vision, projection_dim=32, image_text_hidden_size=32)
    model = hf.BlipForConditionalGeneration(config)
    for weights in model.parameters():
        if weights.ndim > 1:  # as initialised it says the same of every picture
            weights.normal_(0, 2 / weights[0].numel() ** 0.5)
    if silent:
        model.text_decoder.cls.predictions.bias[tokenizer.sep_token_id] = 1e4
    processor = hf.BlipProcessor(hf.BlipImageProcessor(size={"height": 64, "width": 64}), tokenizer)
    _save(model, processor, folder)


@torch.no_grad()
def clip(folder: Path) -> None:
    """A small CLIP that reads 16 tokens, of the tiny base's tokenizer."""
    tokenizer = hf.CLIPTokenizer.from_pretrained(TOKENIZER)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    text = {
        **sizes,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 16,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    config = hf.CLIPConfig(
        text_config=text, vision_config={**sizes, "image_size": 64, "patch_size": 16}, projection_dim=16
    )
    model = hf.CLIPModel(config)
    for weights in model.parameters():
        if weights.ndim > 1:  # as initialised all pictures and captions are alike
            weights.normal_(0, 2 / weights[0].numel() ** 0.5)
    pictures = hf.CLIPImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    _save(model, hf.CLIPProcessor(pictures, tokenizer), folder)


@torch.no_grad()
def _spread(model: nn.Module) -> nn.Module:
    """Weights drawn anew, so wide that masks have borders and their classes differ; as initialised all are alike.

    Standard deviations: of queries 5, of all others 2 / sqrt(inputs), of those that judge the class ten times that,
    and of those that mix the queries a seventh of it.
    """
    for name, weights in model.named_parameters():
        if weights.ndim < 2:
            continue
        of_queries = "quer" in name and "embed" in name and "proj" not in name
        weights.normal_(0, 5 if of_queries else 2 / weights[0].numel() ** 0.5)
        if name.endswith(("class_predictor.weight", "class_embed.weight")):
            weights.mul_(10)
        if "transformer_module" in name and name.endswith(("out_proj.weight", "fc2.weight", "linear2.weight")):
            weights.mul_(0.15)
    return model


def _save(model: nn.Module, processor: object, folder: Path) -> None:
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
