"""In how large batches an autoencoder takes pictures: of them alone its memory depends."""

AT_ONCE = 16 * 512**2  # pixels: of Stable Diffusion XL's, in half precision, 4 GiB for each of its largest feature maps


def autoencoder_batches(pictures: int, *, side: int) -> list[slice]:
    """Batches that cover so many square pictures of `side` pixels, in order: the larger they are, the fewer in each."""
    each = max(1, AT_ONCE // side**2)
    return [slice(start, start + each) for start in range(0, pictures, each)]
