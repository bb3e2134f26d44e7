"""Which arithmetic attention takes: PyTorch's fused kernels have no batching rule, plain operations do."""

from __future__ import annotations

import torch


def fast_attention(allowed: bool) -> None:
    """Switch fused attention on or off for this process, on processors too."""
    torch.backends.cuda.enable_flash_sdp(allowed)
    torch.backends.cuda.enable_mem_efficient_sdp(allowed)
    torch.backends.mha.set_fastpath_enabled(allowed)
