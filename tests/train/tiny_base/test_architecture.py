"""The tiny base's tokenizer knows its corpora's words, and takes any other text too."""

from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from annotate.corpora import fill50k, playroom
from train.tiny_base.architecture import TOKENS, word_tokenizer

CAPTIONS = [corpus.record(0, row).caption for corpus in (fill50k, playroom) for row in range(60)]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    return word_tokenizer(CAPTIONS, tmp_path_factory.mktemp("tokenizer"))


@pytest.mark.parametrize("caption", [CAPTIONS[0], CAPTIONS[-1]])
def test_every_word_is_one_token(tokenizer: CLIPTokenizer, caption: str) -> None:
    words = caption.replace(",", " ,").split()
    assert tokenizer.tokenize(caption) == [f"{word}</w>" for word in words]


def test_an_unknown_word_falls_apart_into_letters(tokenizer: CLIPTokenizer) -> None:
    tokens = tokenizer.tokenize("zebra")
    assert "".join(tokens).removesuffix("</w>") == "zebra"
    assert len(tokens) > 1


def test_the_tokenizer_reads_back_what_it_saved(tokenizer: CLIPTokenizer, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    again = CLIPTokenizer.from_pretrained(tmp_path)
    assert again.model_max_length == TOKENS
    assert again(CAPTIONS).input_ids == tokenizer(CAPTIONS).input_ids
