"""llama.cpp's computation graph as sizes: what is computed in which order, on which device, and where it is put.

`tensors` holds the nodes, `inputs`, `attention`, `feed`, `recurrent` and `blocks` write the graph of a model,
`schedule` gives nodes to devices as ggml's scheduler does, `placing` lays them out as ggml's allocator does.
"""
