"""The tiny base's networks: Stable Diffusion 1.5's classes from diffusers and transformers, but small.

VAE of stride 8 with 4 latent channels, 128-pixel pictures, 16x16 latents, cross-attention from the first block on, so
that everything written for Stable Diffusion 1.5 fits it unchanged.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.trainers import BpeTrainer
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

SIDE = 128  # pixels
TOKENS = 32  # longest caption; the longest playroom caption takes 17
START, END, END_OF_WORD = "<|startoftext|>", "<|endoftext|>", "</w>"


def autoencoder() -> AutoencoderKL:
    """VAE of 128-pixel pictures: [B, 3, 128, 128] in [-1, 1] to [B, 4, 16, 16] and back."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 16, 32, 64),
        layers_per_block=1,
        norm_num_groups=2,  # a group of two channels, as 8 would make of 16, takes a picture's mean colour away
        latent_channels=4,
        sample_size=SIDE,
    )


def denoiser() -> UNet2DConditionModel:
    """U-Net over [B, 4, 16, 16] latents and [B, T, 128] caption states."""
    return UNet2DConditionModel(
        sample_size=SIDE // 8,
        in_channels=4,
        out_channels=4,
        block_out_channels=(64, 96, 128),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",) * 3,
        up_block_types=("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=128,
        attention_head_dim=4,
        norm_num_groups=16,
    )


def text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """CLIP text model of two layers over the tokenizer's words."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=TOKENS,
        projection_dim=128,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def noise_schedule() -> DDIMScheduler:
    """Stable Diffusion 1.5's: 1,000 steps, betas linear in their square roots from 0.00085 to 0.012."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="epsilon",
    )


def word_tokenizer(captions: Iterable[str], folder: Path) -> CLIPTokenizer:
    """A CLIP tokenizer in which every word of the captions is one token; any other text falls apart into pieces.

    Byte-pair merges are learned until no word is in two pieces; the files are those of any CLIP tokenizer.
    """
    letters = [chr(code) for code in range(33, 127)]
    pairs = Tokenizer(BPE(end_of_word_suffix=END_OF_WORD))
    pairs.pre_tokenizer = BertPreTokenizer()  # words and punctuation, as CLIP's own splits these captions
    trainer = BpeTrainer(min_frequency=1, end_of_word_suffix=END_OF_WORD, initial_alphabet=letters, show_progress=False)
    pairs.train_from_iterator([*letters, *captions], trainer)
    folder.mkdir(parents=True, exist_ok=True)
    pairs.model.save(str(folder))
    vocabulary = json.loads((folder / "vocab.json").read_text())
    for special in (START, END):
        vocabulary[special] = len(vocabulary)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=TOKENS)
