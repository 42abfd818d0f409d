"""A shell: a network that shares its modules with another, but for a few."""

import copy
from typing import TypeVar

import torch

Network = TypeVar("Network", bound=torch.nn.Module)


def shell(network: Network, replaced: dict[str, torch.nn.Module]) -> Network:
    """Make a network that runs as `network` does, with other children in some places.

    Args:
        network: stays as it is; the shell has the very same other children, weights and all.
        replaced: children by name.
    """
    made = copy.copy(network)
    unknown = replaced.keys() - network._modules.keys()
    assert not unknown, unknown
    made._modules = {**network._modules, **replaced}
    return made


def with_own_modules(network: Network) -> Network:
    """Copy the modules of a network, but not its weights: the copy has the very same parameters and buffers."""
    shared = [*network.parameters(), *network.buffers()]
    return copy.deepcopy(network, {id(tensor): tensor for tensor in shared})
