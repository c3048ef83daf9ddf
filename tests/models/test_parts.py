"""The parts of networks of keras.applications, by the names of their layers."""

from __future__ import annotations

import pytest

from mltrain.models.parts import parts_of


@pytest.mark.parametrize(
    ("layers", "parts"),
    [
        (("block1_conv1", "block1_pool", "block2_conv1"), ("block1", "block1", "block2")),
        (
            ("conv1_pad", "conv1_conv", "pool1_pool", "conv2_block1_1_conv", "post_bn"),
            ("conv1", "conv1", "conv1", "conv2", "top"),
        ),
        (("pool2_bn", "conv3_block1_0_bn", "bn", "relu"), ("conv2", "conv3", "top", "top")),
        (
            ("Conv1", "bn_Conv1", "expanded_conv_project", "block_1_expand", "block_16_project", "Conv_1"),
            ("stem", "stem", "block0", "block1", "block16", "top"),
        ),
        (
            ("rescaling", "conv", "expanded_conv_depthwise", "expanded_conv_10_expand", "conv_1"),
            ("stem", "stem", "block0", "block10", "top"),
        ),
        (
            ("conv1", "conv_dw_1", "conv_pw_1_bn", "conv_pad_2", "conv_dw_2"),
            ("conv1", "block1", "block1", "block2", "block2"),
        ),
        (("normalization", "stem_conv", "block1a_dwconv", "top_conv"), ("stem", "stem", "block1", "top")),
        (
            ("convnext_tiny_stem", "convnext_tiny_stage_0_block_1_layernorm", "convnext_tiny_downsampling_block_0"),
            ("stem", "stage0", "downsampling0"),
        ),
        # Where parts end in a layer, those in front of it belong to it.
        (
            ("conv2d", "mixed0", "conv2d_5", "activation_5", "mixed1"),
            ("mixed0", "mixed0", "mixed1", "mixed1", "mixed1"),
        ),
        (
            ("conv2d_3", "mixed_5b", "conv2d_9", "block35_1_mixed", "conv_7b"),
            ("mixed5b", "mixed5b", "block35", "block35", "top"),
        ),
        # A shortcut follows what it goes around.
        (("block2_sepconv1", "conv2d", "add", "block3_sepconv1"), ("block2", "block2", "block2", "block3")),
        (
            ("stem_conv1", "normal_left1_0", "adjust_conv_projection_reduce_4", "separable_conv_1_bn_normal_left1_5"),
            ("stem", "block0", "reduce4", "block5"),
        ),
        (("a", "b"), ("network", "network")),
    ],
)
def test_layers_are_grouped_by_their_names(layers, parts):
    assert parts_of(layers) == parts
