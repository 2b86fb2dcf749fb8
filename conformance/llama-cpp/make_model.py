"""Writes a model of random weights, small enough for tests: its answers are noise, its server is llama.cpp's."""

import sys

import gguf
import numpy

LAYERS, WIDTH, HEADS, FEED_FORWARD, CONTEXT = 1, 32, 2, 64, 24576


def byte_tokens() -> list[str]:
    """The 256 bytes as byte-level BPE writes them: what cannot be shown is moved above 255."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) if byte in shown else chr(256 + hidden.index(byte)) for byte in range(256)]


def main(path: str) -> None:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens = byte_tokens() + special
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("random")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    control = gguf.TokenType.CONTROL
    writer.add_token_types([gguf.TokenType.NORMAL] * 256 + [control] * len(special))
    # Without merges every byte is a token.
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(256)
    writer.add_eos_token_id(258)
    writer.add_add_bos_token(False)
    writer.add_chat_template(
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    random = numpy.random.default_rng(1)

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, random.normal(0, 0.3, shape).astype(numpy.float32))

    add("token_embd.weight", len(tokens), WIDTH)
    # What ends an answer is never the likeliest: it is as long as it may be.
    output = random.normal(0, 3, (len(tokens), WIDTH))
    output[256:] = 0
    writer.add_tensor("output.weight", output.astype(numpy.float32))
    add("output_norm.weight", WIDTH)
    for layer in range(LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{layer}.{name}.weight", WIDTH, WIDTH)
        add(f"blk.{layer}.attn_norm.weight", WIDTH)
        add(f"blk.{layer}.ffn_norm.weight", WIDTH)
        add(f"blk.{layer}.ffn_gate.weight", FEED_FORWARD, WIDTH)
        add(f"blk.{layer}.ffn_up.weight", FEED_FORWARD, WIDTH)
        add(f"blk.{layer}.ffn_down.weight", WIDTH, FEED_FORWARD)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main(sys.argv[1])
