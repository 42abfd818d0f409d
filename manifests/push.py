"""A folder sent to the Hugging Face Hub as a dataset repository, private unless it is said otherwise."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, get_token
from huggingface_hub.constants import is_offline_mode
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from manifests.hub import CARD
from manifests.markdown import plain

LOGIN = "Log in with: hf auth login, or set HF_TOKEN to a token that may write"
REPOSITORY = "dataset"
NAME = re.compile(r"[\w-]+/(?!.*(?:--|\.\.|\.git$))[A-Za-z0-9_]([\w.-]{0,94}[A-Za-z0-9_])?", re.ASCII)
HTTP_ERROR: type[Exception] = HfHubHTTPError.mro()[1]  # that of the library its client uses


def check_push(name: str) -> None:
    """Make sure before the work begins that a push could be let in: a sound name, a token, a Hub that answers.

    Raises:
        ValueError: what is wrong, and the way out.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            f"--push {name}: not the name of a repository. Give NAMESPACE/NAME of letters, digits, -, _ and ., as "
            "someone/photos_canny"
        )
    if is_offline_mode():
        raise ValueError(f"--push {name}: HF_HUB_OFFLINE is set. Unset it, or leave --push out and push later")
    if not get_token():
        raise ValueError(f"--push {name}: no token is at hand. {LOGIN}")
    with _explained(name):
        HfApi().whoami()


def push_folder(folder: Path, name: str, patterns: Sequence[str], *, public: bool) -> str:
    """Make the repository if it isn't there, and send files of the folder, the card last.

    Killed and started again it sends what is missing. Older shards that the folder has no more are deleted there.

    Args:
        patterns: of the files beside the card.
        public: whoever finds it may read it.

    Returns:
        Its address.

    Raises:
        ValueError: it is there and public, and `public` was not said; or the Hub can't be reached, or refuses.
    """
    api = HfApi()
    with _explained(name):
        made = api.create_repo(name, repo_type=REPOSITORY, private=not public, exist_ok=True)
        if not public and not api.repo_info(name, repo_type=REPOSITORY).private:
            raise ValueError(f"--push {name}: it is there, and is public. Say --public if it shall be, or another name")
        for wanted in (list(patterns), [CARD]):
            api.upload_folder(
                repo_id=name,
                repo_type=REPOSITORY,
                folder_path=folder,
                allow_patterns=wanted,
                delete_patterns=[pattern for pattern in wanted if "*" in pattern] or None,
                commit_message="Exported by Pairmill",
            )
    return str(made)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """What goes wrong on the way to the Hub, as one line."""
    try:
        yield
    except HfHubHTTPError as error:
        said = plain(str(error.server_message or error).splitlines()[0])
        raise ValueError(f"--push {name}: the Hub refuses ({said}). {LOGIN} there") from error
    except (HTTP_ERROR, OfflineModeIsEnabled, ConnectionError) as error:
        raise ValueError(
            f"--push {name}: the Hub can't be reached ({error}). What was made stays: start again when it can"
        ) from error
