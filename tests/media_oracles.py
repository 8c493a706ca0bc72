"""What transformers' own processors make of a picture, a film and sound: each family's helper for sizes, and its real preprocessing.

Processors are made without a tokenizer and without files: the settings are those published with the checkpoints. Some image
processors import torchvision, which is not here; their arithmetic does not use it, so an empty stand-in is enough.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import types
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import torch

Sizes = Callable[[int, int], int]
"""Height and width -> tokens."""
MARK = re.compile(r"<[^<>]+>|\n\n|\n|TILE_\d+|0")
"""What is one token in the text that a processor writes for a picture."""


def named(path: str, name: str) -> Any:
    """A class or function of a family: `gemma3.image_processing_pil_gemma3`, `Gemma3ImageProcessorPil`."""
    parts = ["torchvision", "torchvision.io", "torchvision.transforms", "torchvision.transforms.v2", "torchvision.transforms.v2.functional"]
    made = {part: types.ModuleType(part) for part in parts}
    for part, module in made.items():
        module.__path__ = []  # type: ignore[attr-defined]
        module.__spec__ = importlib.machinery.ModuleSpec(part, None)
        module.__getattr__ = lambda name, part=part: made.get(f"{part}.{name}") or mock.MagicMock(name=name)  # type: ignore[method-assign]
    missing = {} if importlib.util.find_spec("torchvision") else made
    sys.modules.update(missing)
    try:
        return getattr(importlib.import_module(f"transformers.models.{path}"), name)
    finally:
        for part in missing:
            del sys.modules[part]


def shell(of: type, **fields: Any) -> Any:
    """A processor with these fields and nothing else: no tokenizer, no files."""
    one = object.__new__(of)
    for name, value in fields.items():
        setattr(one, name, value)
    return one


def processor(family: str, name: str, images: Any = None, videos: Any = None, asked: Mapping[str, Any] | None = None, **fields: Any) -> Any:
    """A family's processor that knows its image processor; every token is written <x>."""
    of = named(f"{family}.processing_{family}", name)
    merged = {"images_kwargs": dict(asked or {}), "videos_kwargs": {}}
    return shell(of, image_processor=images, video_processor=videos, _merge_kwargs=lambda **_: merged, **fields)


def helper(made: Any) -> Sizes:
    """The processor's own count for a size."""
    return lambda height, width: int(made._get_num_multimodal_tokens(image_sizes=[(height, width)])["num_image_tokens"][0])


def real(made: Any, **asked: Any) -> Callable[[Any], int]:
    """The tokens in the text that the processor writes for a picture which it has really read."""

    def tokens(picture: Any) -> int:
        inputs = made.image_processor([picture], **asked)
        return len(MARK.findall(made.replace_image_token(inputs, 0)))

    return tokens


def _pil(family: str, name: str, **settings: Any) -> Any:
    return named(f"{family}.image_processing_pil_{family}", f"{name}ImageProcessorPil")(**settings)


IMAGE = {"image_token": "<i>"}


def _gemma3() -> tuple[Sizes, Any]:
    images = _pil("gemma3", "Gemma3", size={"height": 896, "width": 896}, do_pan_and_scan=False)
    made = processor("gemma3", "Gemma3Processor", images, image_seq_length=256, full_image_sequence="\n\n<b>" + "<i>" * 256 + "<e>\n\n")
    return lambda height, width: helper(made)(height, width) + 4, real(made)


def _gemma4() -> tuple[Sizes, Any]:
    made = processor("gemma4", "Gemma4Processor", _pil("gemma4", "Gemma4"), boi_token="<b>", eoi_token="<e>", **IMAGE)
    return lambda height, width: helper(made)(height, width) + 2, real(made)


def _qwen(family: str, name: str, patch: int, least: int, most: int) -> tuple[Sizes, Any]:
    images = _pil("qwen2_vl", "Qwen2VL", patch_size=patch, size={"shortest_edge": least, "longest_edge": most})
    made = processor(family, name, images, **IMAGE)
    return helper(made), real(made)


def _glm(family: str, name: str) -> tuple[Sizes, Any]:
    images = _pil(family, name, size={"shortest_edge": 12544, "longest_edge": 9633792})
    made = processor(family, f"{name}Processor", images, **IMAGE)
    return helper(made), real(made)


def _llava() -> tuple[Sizes, Any]:
    images = _pil("llava", "Llava", size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    made = processor(
        "llava", "LlavaProcessor", images, patch_size=14, num_additional_image_tokens=1, vision_feature_select_strategy="default", **IMAGE
    )
    return helper(made), real(made)


def _llava_next() -> tuple[Sizes, Any]:
    images = _pil("llava_next", "LlavaNext", size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    made = processor(
        "llava_next",
        "LlavaNextProcessor",
        images,
        patch_size=14,
        num_additional_image_tokens=1,
        vision_feature_select_strategy="default",
        **IMAGE,
    )
    return helper(made), real(made)


def _llava_onevision() -> tuple[Sizes, Any]:
    made = processor(
        "llava_onevision",
        "LlavaOnevisionProcessor",
        _pil("llava_onevision", "LlavaOnevision"),
        num_image_tokens=729,
        vision_feature_select_strategy="full",
        vision_aspect_ratio="anyres_max_9",
        **IMAGE,
    )
    return helper(made), real(made)


def _idefics(family: str, name: str, longest: int, tile: int, each: int) -> tuple[Sizes, Any]:
    images = _pil(family, name, size={"longest_edge": longest}, max_image_size={"longest_edge": tile}, return_row_col_info=True)
    made = processor(
        family,
        f"{name}Processor",
        images,
        image_seq_len=each,
        fake_image_token="<f>",
        global_image_tag="<g>",
        global_image_token="<g>",
        # As tokenizers of these families do: two ends of lines are one token.
        tokenizer=lambda text, **_: {"input_ids": [0]},
        **IMAGE,
    )

    def sizes(height: int, width: int) -> int:
        _, rows, columns = images.get_number_of_image_patches(height, width)
        return len(MARK.findall(made.replace_image_token({"rows": [[rows]], "cols": [[columns]]}, 0)))

    return helper(made) if family == "idefics3" else sizes, real(made)


def _internvl() -> tuple[Sizes, Any]:
    images = _pil("got_ocr2", "GotOcr2", size={"height": 448, "width": 448}, crop_to_patches=True, max_patches=12)
    made = processor("internvl", "InternVLProcessor", images, image_seq_length=256, start_image_token="<s>", end_image_token="<e>", **IMAGE)
    return helper(made), real(made)


def _aya() -> tuple[Sizes, Any]:
    images = _pil("got_ocr2", "GotOcr2", size={"height": 364, "width": 364}, crop_to_patches=True, max_patches=12)
    made = processor(
        "aya_vision",
        "AyaVisionProcessor",
        images,
        img_size=364,
        patch_size=28,
        start_of_img_token="<s>",
        end_of_img_token="<e>",
        tile_token="TILE",
        tile_global_token="<g>",
        img_patch_token="<i>",
    )
    return helper(made), real(made)


def _pixtral(patch: int, merge: int, longest: int) -> tuple[Sizes, Any]:
    images = _pil("pixtral", "Pixtral", size={"longest_edge": longest}, patch_size={"height": patch * merge, "width": patch * merge})
    made = processor(
        "pixtral",
        "PixtralProcessor",
        images,
        patch_size=patch,
        spatial_merge_size=merge,
        image_break_token="<r>",
        image_end_token="<e>",
        **IMAGE,
    )
    resized = named("pixtral.image_processing_pil_pixtral", "get_resize_output_image_size")

    def sizes(height: int, width: int) -> int:
        """What the helper of the processor asks, which would fill a picture of this size for it."""
        side = patch * merge
        empty = np.broadcast_to(np.uint8(0), (3, height, width))
        down, across = resized(empty, size=(longest, longest), patch_size=(side, side), input_data_format="channels_first")
        if not down or not across:
            raise ValueError("no picture can be scaled to this")
        return (across // side + 1) * down // side

    return sizes, real(made)


def _minicpm() -> tuple[Sizes, Any]:
    images = _pil("minicpmv4_6", "MiniCPMV4_6")
    marks = {"image_start_token": "<s>", "image_end_token": "<e>", "slice_start_token": "<t>", "slice_end_token": "<u>"}
    made = processor("minicpmv4_6", "MiniCPMV4_6Processor", images, slice_mode=True, **marks, **IMAGE)

    def sizes(height: int, width: int) -> int:
        """The image processor's own steps for a size: the grid of slices, and what each is scaled to."""
        grid = images.get_sliced_grid((height, width), 9, 448)
        targets = [images.find_best_resize((height, width), 448, 14, "16x", allow_upscale=grid is None)]
        if grid is not None:
            down, across = images.get_refine_size((height, width), grid, 448, 14, "16x", allow_upscale=True)
            targets += [(down // grid[0], across // grid[1])] * (grid[0] * grid[1])
        inputs = {
            "grids": [grid or [0, 0]],
            "num_patches_per_image": [len(targets)],
            "target_sizes": np.array([[down // 14, across // 14] for down, across in targets]),
        }
        text = "<image_id>0</image_id>" + made.replace_image_token(inputs, 0, image_token_divisor=16)
        return len(MARK.findall(text))

    def tokens(picture: Any) -> int:
        return 3 + len(MARK.findall(made.replace_image_token(images([picture]), 0, image_token_divisor=16)))

    return sizes, tokens


def _deepseek_ocr2() -> tuple[Sizes, Any]:
    images = _pil("deepseek_ocr2", "DeepseekOcr2")
    made = processor("deepseek_ocr2", "DeepseekOcr2Processor", images, patch_size=16, downsample_ratio=4, **IMAGE)
    canvas = named("deepseek_ocr2.image_processing_pil_deepseek_ocr2", "get_optimal_tiled_canvas")

    def sizes(height: int, width: int) -> int:
        across, down = canvas((height, width), (768, 768), 2, 6) if max(height, width) > 768 else (0, 0)
        return len(MARK.findall(made.replace_image_token({"num_local_patches": [across * down]}, 0)))

    return sizes, real(made)


class Square(NamedTuple):
    height: int
    width: int


def _llama4() -> tuple[Sizes, Any]:
    at = "llama4.image_processing_llama4"
    resolutions = torch.tensor(named(at, "find_supported_resolutions")(max_num_chunks=16, patch_size=Square(336, 336)))
    best = named(at, "get_best_fit")
    made = processor("llama4", "Llama4Processor", patch_size=14, downsample_ratio=4)

    def sizes(height: int, width: int) -> int:
        down, across = (int(pixels) // 336 for pixels in best((height, width), resolutions))
        return len(MARK.findall(made._prompt_split_image((down, across), 336 // 14 * (336 // 14) // 4)))

    return sizes, None


def _cohere2() -> tuple[Sizes, Any]:
    images = shell(
        named("cohere2_vision.image_processing_cohere2_vision", "Cohere2VisionImageProcessor"),
        size={"height": 512, "width": 512},
        crop_to_patches=True,
        min_patches=1,
        max_patches=12,
    )
    return helper(processor("cohere2_vision", "Cohere2VisionProcessor", images, patch_size=16)), None


def _kimi() -> tuple[Sizes, Any]:
    resize = named("kimi_k25.image_processing_kimi_k25", "navit_resize")

    def sizes(height: int, width: int) -> int:
        _, (down, across) = resize(height, width, patch_size=14, merge_kernel_size=2, max_patches=16384, max_size_per_side=512)
        return int(down // 14 * (across // 14) // 4)

    return sizes, None


def _phi4() -> tuple[Sizes, Any]:
    images = shell(named("phi4_multimodal.image_processing_phi4_multimodal", "Phi4MultimodalImageProcessor"))

    def sizes(height: int, width: int) -> int:
        """The mask that the image processor makes for a size; every second patch of each tile is a token, one more ends each row."""
        picture = SimpleNamespace(shape=(3, height, width), device="cpu")
        _, mask = images.dynamic_preprocess(picture, 448, 14, 32, max_num=36)
        kept = mask[0::2, 0::2]
        return 256 + 1 + int(kept.sum()) + int(kept[:, 0].sum()) + 16

    return sizes, None


def _minimax() -> tuple[Sizes, Any]:
    images = shell(named("minimax_m3_vl.image_processing_minimax_m3_vl", "MiniMaxM3VLImageProcessor"))
    of = named("minimax_m3_vl.processing_minimax_m3_vl", "MiniMaxM3VLProcessor")
    made = processor("minimax_m3_vl", of.__name__, images)

    def sizes(height: int, width: int) -> int:
        patches = images.get_number_of_image_patches(height, width)
        text = made.replace_image_token({"image_grid_thw": np.array([[1, patches, 1]])}, 0)
        marks = text.count(of.VISION_START_TOKEN) + text.count(of.VISION_END_TOKEN)
        return marks + text.count(of.IMAGE_TOKEN)

    return sizes, None


def _lfm2() -> tuple[Sizes, Any]:
    of = named("lfm2_vl.image_processing_lfm2_vl", "Lfm2VlImageProcessor")
    images = shell(of)
    made = processor(
        "lfm2_vl", "Lfm2VlProcessor", images, image_start_token="<s>", image_end_token="<e>", image_thumbnail_token="<t>", **IMAGE
    )
    limits = {"max_image_tokens": 256, "encoder_patch_size": 16, "downsample_factor": 2}

    def sizes(height: int, width: int) -> int:
        across, down = images.smart_resize(height, width, min_image_tokens=64, **limits)
        columns, rows = 1, 1
        if images._is_image_too_large(height, width, max_pixels_tolerance=2.0, **limits):
            columns, rows, *_ = images._get_grid_layout(height, width, 2, 10, 512)
        each, whole = made._compute_tokens_per_tile(512, 16, 2), made._compute_tokens_for_image([down, across], 16, 2)
        return len(MARK.findall(made._build_image_tokens(rows, columns, each, whole, True, True)))

    return sizes, None


FAMILIES: dict[str, Callable[[], tuple[Sizes, Callable[[Any], int] | None]]] = {
    "gemma3": _gemma3,
    "gemma4": _gemma4,
    "qwen2_vl": lambda: _qwen("qwen2_vl", "Qwen2VLProcessor", 14, 3136, 12845056),
    "qwen3_vl": lambda: _qwen("qwen3_vl", "Qwen3VLProcessor", 16, 65536, 16777216),
    "llava": _llava,
    "llava_next": _llava_next,
    "llava_onevision": _llava_onevision,
    "idefics3": lambda: _idefics("idefics3", "Idefics3", 4 * 364, 364, 169),
    "smolvlm": lambda: _idefics("smolvlm", "SmolVLM", 4 * 384, 384, 81),
    "internvl": _internvl,
    "aya_vision": _aya,
    "pixtral": lambda: _pixtral(16, 1, 1024),
    "mistral3": lambda: _pixtral(14, 2, 1540),
    "glm4v": lambda: _glm("glm4v", "Glm4v"),
    "glm46v": lambda: _glm("glm46v", "Glm46V"),
    "minicpmv4_6": _minicpm,
    "deepseek_ocr2": _deepseek_ocr2,
    "llama4": _llama4,
    "cohere2_vision": _cohere2,
    "kimi_k25": _kimi,
    "phi4_multimodal": _phi4,
    "lfm2_vl": _lfm2,
    "minimax_m3_vl": _minimax,
}
"""A family -> its helper for sizes, and its real preprocessing where that runs without torchvision."""


def _video(family: str, name: str, **settings: Any) -> Any:
    of = named(f"{family}.video_processing_{family}", f"{name}VideoProcessor")
    return shell(of, **settings)


def _clips(family: str, name: str, **settings: Any) -> tuple[Callable[[int, float], int], Callable[[int, int, int], int]]:
    """Of a family that looks at frames in pairs: frames taken of a film of so many at a rate; tokens of so many frames of a size."""
    video = _video(family, name, **settings)

    def taken(frames: int, per_s: float) -> int:
        film = SimpleNamespace(total_num_frames=frames, fps=per_s, duration=frames / per_s)
        return len(video.sample_frames(film, fps=2))

    return taken, lambda frames, height, width: int(video.get_num_of_video_patches(frames, height, width, {})) // 4


FILMS: dict[str, Callable[[], tuple[Callable[[int, float], int] | None, Callable[[int, int, int], int]]]] = {
    "qwen2_vl": lambda: _clips("qwen2_vl", "Qwen2VL", num_frames=None, fps=2),
    "qwen3_vl": lambda: _clips("qwen3_vl", "Qwen3VL", size={"shortest_edge": 4096, "longest_edge": 25165824}),
    # Its processor has no way of its own to take frames.
    "minimax_m3_vl": lambda: (None, _clips("minimax_m3_vl", "MiniMaxM3VL")[1]),
    "glm4v": lambda: _clips("glm4v", "Glm4v"),
    "glm46v": lambda: _clips("glm46v", "Glm46V"),
}
"""A family that looks at frames in pairs -> what it takes of a film, and what it makes of that."""


def _frames() -> dict[str, Callable[[int, int, int], int]]:
    """Families that look at each frame alone -> tokens of so many frames of a size, with the marks that their text has."""
    gemma = processor(
        "gemma4", "Gemma4Processor", _pil("gemma4", "Gemma4"), SimpleNamespace(patch_size=16, pooling_kernel_size=3, max_soft_tokens=70)
    )
    llava = processor("llava_onevision", "LlavaOnevisionProcessor", num_image_tokens=729)
    intern = processor("internvl", "InternVLProcessor", image_seq_length=256, start_image_token="<s>", end_image_token="<e>", **IMAGE)
    return {
        "gemma4": lambda frames, height, width: (
            int(gemma._get_num_multimodal_tokens(video_sizes=[(frames, height, width)])["num_video_tokens"][0]) + 2 * frames
        ),
        "llava_onevision": lambda frames, height, width: int(
            llava._get_num_multimodal_tokens(video_sizes=[(frames, height, width)])["num_video_tokens"][0]
        ),
        "internvl": lambda frames, height, width: len(
            re.findall("<[sie]>", intern.replace_video_token({"pixel_values_videos": [np.zeros((frames, 1))]}, 0))
        ),
    }


def _sounds() -> dict[str, Callable[[int], int]]:
    """Families that hear -> tokens of so many samples at 16 kHz."""
    from transformers import WhisperFeatureExtractor

    def whisper(seconds: int, **padded: Any) -> Callable[[int], int]:
        """Frames that the feature extractor says are sound, for so many samples."""
        extractor = WhisperFeatureExtractor(feature_size=4, chunk_length=seconds)

        def frames(samples: int) -> int:
            heard = extractor(np.zeros(samples, np.float32), sampling_rate=16000, return_attention_mask=True, **padded)
            return int(np.asarray(heard["attention_mask"]).sum())

        return frames

    chunk = whisper(30, padding="max_length")
    long = whisper(300, padding="max_length")
    free = whisper(30, padding=True, truncation=False)
    gemma = processor(
        "gemma4", "Gemma4Processor", feature_extractor=SimpleNamespace(frame_length=320, hop_length=160), audio_seq_length=750
    )
    granite = shell(
        named("granite_speech.feature_extraction_granite_speech", "GraniteSpeechFeatureExtractor"),
        melspec_kwargs={"hop_length": 160},
        projector_window_size=15,
        projector_downsample_rate=5,
    )
    phi = shell(
        named("phi4_multimodal.feature_extraction_phi4_multimodal", "Phi4MultimodalFeatureExtractor"),
        audio_compression_rate=8,
        audio_downsample_rate=1,
    )
    omni2 = named("qwen2_5_omni.processing_qwen2_5_omni", "_get_feat_extract_output_lengths")
    omni3 = named("qwen3_omni_moe.processing_qwen3_omni_moe", "_get_feat_extract_output_lengths")
    return {
        "qwen2_audio": lambda samples: (((chunk(samples) - 1) // 2 + 1) - 2) // 2 + 1,
        "qwen2_5_omni": lambda samples: int(omni2(long(samples))),
        "qwen3_omni_moe": lambda samples: int(omni3(free(samples))),
        "gemma4": lambda samples: 2 + int(gemma._compute_audio_num_tokens(np.zeros(samples), 16000)),
        "granite_speech": lambda samples: int(granite._get_num_audio_features([samples])[0]),
        "phi4_multimodal": lambda samples: int(phi._compute_audio_embed_size(torch.tensor((samples - 400) // 160 + 1))),
    }


FIXED = {
    "gemma3n": ("Gemma3nProcessor", "image_seq_length"),
    "janus": ("JanusProcessor", "num_image_tokens"),
    "deepseek_vl": ("DeepseekVLProcessor", "num_image_tokens"),
}
"""Families whose number of tokens is the default of their processor, and that default's name."""


def fixed(family: str) -> int:
    """The number of tokens that a processor has unless it is told otherwise."""
    import inspect

    name, field = FIXED[family]
    return int(inspect.signature(named(f"{family}.processing_{family}", name).__init__).parameters[field].default)
