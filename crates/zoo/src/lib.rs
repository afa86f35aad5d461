//! Pretrained backbones: read a checkpoint's configuration and tensors, build the network.
