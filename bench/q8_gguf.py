"""Writes a GGUF again with its matrices in Q8_0, for comparisons at 8 bits.

    pip install gguf
    python bench/q8_gguf.py SmolLM2-135M-Instruct.Q4_1.gguf smollm2-q8.gguf
"""

import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFValueType


def text(part):
    return str(bytes(part), "utf8")


def copy_key(writer, name, field):
    """Copies one key of the header."""
    kind = field.types[0]
    if kind == GGUFValueType.ARRAY:
        of_text = field.types[1] == GGUFValueType.STRING
        writer.add_array(name, [text(field.parts[i]) if of_text else field.parts[i].tolist()[0] for i in field.data])
    elif kind == GGUFValueType.STRING:
        writer.add_string(name, text(field.parts[-1]))
    else:
        writer.add_key_value(name, field.parts[-1].tolist()[0], kind)


def main():
    source, target = sys.argv[1:3]
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, text(reader.fields["general.architecture"].parts[-1]))
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            copy_key(writer, name, field)
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if values.ndim == 1:
            writer.add_tensor(tensor.name, values)
        else:
            packed = gguf.quants.quantize(values, GGMLQuantizationType.Q8_0)
            writer.add_tensor(tensor.name, packed, raw_dtype=GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
