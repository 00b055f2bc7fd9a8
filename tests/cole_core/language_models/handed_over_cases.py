"""What each thing that is given as a language model is read as, or the line that refuses it."""

import pickle
from pathlib import Path

import transformers as hf

import tests.cole_core.language_models.handed_over as given
from tests.cole_core.language_models.handed_over import INDEX, NESTED, WEIGHTS, Maker, as_it_is, but

DENSE = "encoder.layer.0.output.dense.weight"
MLP = "h.0.mlp.c_fc.weight"
POINTER = (
    "is a Git LFS pointer, not the file it stands for: run 'git lfs pull' in its folder, or fetch "
    "it again"
)
ANOTHER = "half a model, or another one's config.json; fetch both again"
ONE_OF_THEM = "one of them is another model's, fetch both again"
CONVERT = "AutoModel.from_pretrained('{given}').save_pretrained('{given}')"

READ: dict[str, tuple[Maker, str]] = {
    "bert": (as_it_is("bert"), "bert encoder, windows of 128 tokens"),
    "gpt2": (as_it_is("gpt2"), "gpt2 causal, windows of 128 tokens"),
    "llama": (as_it_is("llama"), "llama causal, windows of 128 tokens"),
    "shards": (as_it_is("bert_in_shards"), "bert encoder, windows of 128 tokens"),
    "t5, of which the encoder": (as_it_is("t5"), "t5 encoder, windows of 256 tokens"),
    "byt5, saved as its encoder": (as_it_is("byt5"), "t5 encoder, windows of 512 tokens"),
    "t5 that names a limit": (
        but("t5", given.configured(n_positions=64)),
        "t5 encoder, windows of 64 tokens",
    ),
    "no settings of the tokenizer": (
        but("bert", given.without("tokenizer_config.json")),
        "bert encoder, windows of 128 tokens",
    ),
    "a byte order mark in config.json": (
        but("bert", given.with_mark("config.json")),
        "bert encoder, windows of 128 tokens",
    ),
    "sentence-transformers": (
        given.sentence(("Transformer", ""), ("Pooling", "1_Pooling")),
        "bert encoder, windows of 128 tokens",
    ),
    "sentence-transformers, older": (
        given.sentence(*NESTED),
        "bert encoder, windows of 128 tokens",
    ),
    "sentence-transformers, a dense step that is not asked for": (
        given.sentence(*NESTED, ("Dense", "2_Dense")),
        "bert encoder, windows of 128 tokens",
    ),
    "broken modules.json that is not asked for": (
        but("bert", given.containing("modules.json", "[{")),
        "bert encoder, windows of 128 tokens",
    ),
}

# The whole line. {given} is what was given, {folder} the folder that it is in.
REFUSED: dict[str, tuple[Maker, str]] = {
    # sentence-transformers
    "a step that is no transformer": (
        given.sentence(("StaticEmbedding", "0_StaticEmbedding")),
        "{given} begins with a StaticEmbedding step and only a Transformer is read: choose another "
        "model",
    ),
    "a step without a kind": (
        given.containing_steps('[{"idx": 0}]'),
        "{given}/modules.json of {given} has a step without a kind or a folder of its own: fetch "
        "it again",
    ),
    "a step that is no object": (
        given.containing_steps("[3]"),
        "{given}/modules.json of {given} has a step without a kind or a folder of its own: fetch "
        "it again",
    ),
    "a step outside the folder": (
        given.sentence(("Transformer", "../elsewhere")),
        "{given}/modules.json of {given} has a step without a kind or a folder of its own: fetch "
        "it again",
    ),
    "the pooling alone": (
        given.a_step_of_it,
        "config.json of {given} has no model_type, as another library's or a part of a model: give "
        "the folder that transformers saved",
    ),
    # weights
    "half the weights": (
        but("bert", given.cut(WEIGHTS)),
        "{given}/model.safetensors has 85,524 of 171,048 bytes: half a download, fetch it again",
    ),
    "a hundredth of the weights": (
        but("bert", given.cut(WEIGHTS, 0.01)),
        "{given}/model.safetensors is damaged, or half a download: fetch it again",
    ),
    "a pointer for the weights": (
        but("bert", given.pointer(WEIGHTS)),
        "{given}/model.safetensors " + POINTER,
    ),
    "empty weights": (
        but("bert", given.containing(WEIGHTS, "")),
        "{given}/model.safetensors is empty: half a download, fetch it again",
    ),
    "a page for the weights": (
        but("bert", given.containing(WEIGHTS, "<!DOCTYPE html><html>Not found</html>")),
        "{given}/model.safetensors is a web page, not the file itself: fetch it again",
    ),
    "noise for the weights": (
        but("bert", given.containing(WEIGHTS, "\x07" * 5_000)),
        "{given}/model.safetensors is damaged, or half a download: fetch it again",
    ),
    "a pickle under another name": (
        but("bert", given.pickle_under_another_name),
        "{given}/model.safetensors is a pickle under another name: save the model anew with "
        "save_pretrained",
    ),
    "an older pickle under another name": (
        but("bert", given.containing(WEIGHTS, pickle.dumps({"weight": [0.5] * 9}, protocol=2))),
        "{given}/model.safetensors is a pickle under another name: save the model anew with "
        "save_pretrained",
    ),
    **{
        f"half the weights after a header of {length} bytes": (
            but("bert", given.containing(WEIGHTS, given.safetensors(length, numbers=1000)[:-90])),
            f"{{given}}/model.safetensors has {length + 3918:,} of {length + 4008:,} bytes: half a "
            "download, fetch it again",
        )
        for length in (0x80, 0x280, 0x4B50)  # as a pickle begins, or an archive
    },
    **{
        f"a header of {header.decode()}": (
            but("bert", given.containing(WEIGHTS, bytes([len(header), *bytes(7)]) + header)),
            "{given}/model.safetensors is damaged, or half a download: fetch it again",
        )
        for header in (b"[1]", b'{"a":{"data_offsets":[0,"x"]}}')
    },
    "half a header that begins as a pickle": (
        but("bert", given.containing(WEIGHTS, given.safetensors(0x280, numbers=1000)[:40])),
        "{given}/model.safetensors is damaged, or half a download: fetch it again",
    ),
    "no weights": (
        but("bert", given.without(WEIGHTS)),
        "{given} has no weights, no model.safetensors: only safetensors weights are read; fetch "
        "them too",
    ),
    "a link to weights that are gone": (
        but("bert", given.link_to_nothing),
        "{given} has model.safetensors as a link to a file that is gone: copy the file itself",
    ),
    "weights of another name": (
        but("bert", given.renamed(WEIGHTS, "weights.safetensors")),
        "{given} has weights.safetensors, and weights are read from model.safetensors: rename it",
    ),
    "pickled weights": (
        given.pickled,
        "{given} has pickled weights (pytorch_model.bin) and only safetensors weights are read: "
        "convert it with transformers, " + CONVERT,
    ),
    "TensorFlow weights": (
        but("bert", given.renamed(WEIGHTS, "tf_model.h5")),
        "{given} has TensorFlow weights and only safetensors weights are read: convert it to "
        "PyTorch, or fetch its safetensors",
    ),
    "an ONNX export": (
        but("bert", given.renamed(WEIGHTS, "model.onnx")),
        "{given} has an ONNX export and only safetensors weights are read: give the model that was "
        "exported",
    ),
    "a shard is missing": (
        but("bert_in_shards", given.without("model-00001-of-00003.safetensors")),
        "{given} has 2 of 3 shards, no model-00001-of-00003.safetensors: half a download, fetch it "
        "again",
    ),
    "a shard is half there": (
        but("bert_in_shards", given.cut("model-00002-of-00003.safetensors", 0.1)),
        "{given}/model-00002-of-00003.safetensors has 6,268 of 62,688 bytes: half a download, "
        "fetch it again",
    ),
    "a pointer for a shard": (
        but("bert_in_shards", given.pointer("model-00002-of-00003.safetensors")),
        "{given}/model-00002-of-00003.safetensors " + POINTER,
    ),
    "shards without their index": (
        but("bert_in_shards", given.without(INDEX)),
        "{given} has shards (model-00001-of-00003.safetensors) and no "
        "model.safetensors.index.json: half a download, fetch it again",
    ),
    "an index of nothing": (
        but("bert_in_shards", given.containing(INDEX, "{}")),
        "{given}/model.safetensors.index.json is empty: half a download, fetch it again",
    ),
    "an index that names no shards": (
        but("bert_in_shards", given.containing(INDEX, '{"weight_map": 3}')),
        "{given}/model.safetensors.index.json names no shards: fetch it again",
    ),
    "an index of no shards": (
        but("bert_in_shards", given.containing(INDEX, '{"weight_map": {}}')),
        "{given}/model.safetensors.index.json names no shards: fetch it again",
    ),
    # other things than whole models
    "an adapter": (
        given.adapter,
        "{given} is a PEFT adapter of my/base, no whole model: merge it into its base first "
        "(merge_and_unload), save that with its tokenizer, and give that folder",
    ),
    "an adapter beside a model": (
        but("bert", given.adapter_beside),
        "{given} holds a whole model and a PEFT adapter of my/base: remove adapter_config.json, or "
        "merge the adapter into its base first (merge_and_unload) and save that",
    ),
    "a GGUF file": (
        given.gguf_file,
        "{given} is a GGUF file, quantized for llama.cpp: give the folder of the model that it was "
        "made from, in safetensors",
    ),
    "a folder with a GGUF file": (
        given.gguf_folder,
        "{given} holds no language model, no config.json: it is GGUF, quantized for llama.cpp; "
        "give the folder of the model that it was made from, in safetensors",
    ),
    "a GGUF file beside config.json": (
        given.gguf_with_config,
        "{given} has quantized GGUF weights and only safetensors weights are read: give the folder "
        "of the model that they were made from",
    ),
    # configurations
    "no config.json": (
        but("bert", given.without("config.json")),
        "{given} holds no language model, no config.json: half a download, fetch it again",
    ),
    "an empty config.json": (
        but("bert", given.containing("config.json", "")),
        "{given}/config.json is not JSON: it is empty: half a download, fetch it again",
    ),
    "half a config.json": (
        but("bert", given.containing("config.json", '{"model_type": "bert", ')),
        "{given}/config.json is not JSON: it is damaged, or half a download: fetch it again",
    ),
    "a list for config.json": (
        but("bert", given.containing("config.json", "[1]")),
        "{given}/config.json is JSON of another kind, not names with values: fetch it again",
    ),
    "a pointer for config.json": (
        but("bert", given.pointer("config.json")),
        "{given}/config.json is not JSON: it " + POINTER,
    ),
    "no model_type": (
        but("bert", given.configured(model_type=None)),
        "config.json of {given} has no model_type, as another library's or a part of a model: give "
        "the folder that transformers saved",
    ),
    "an unknown model_type": (
        but("bert", given.configured(model_type="frobnicator")),
        "{given} has the model_type 'frobnicator', which transformers "
        + hf.__version__
        + " does not know: upgrade it, or fetch config.json again",
    ),
    "another encoder with a decoder": (
        but("bert", given.configured(model_type="bart", is_encoder_decoder=True)),
        "{given} is an encoder with a decoder, read only if it is one of mt5, t5, umt5: choose an "
        "encoder or a causal model",
    ),
    "no number of layers": (
        but("bert", given.configured(num_hidden_layers=None)),
        "config.json of {given} has none of num_hidden_layers, n_layer, n_layers, num_layers: give "
        "a language model's folder, or fetch config.json again",
    ),
    "no limit": (
        but(
            "byt5",
            given.containing("tokenizer_config.json", '{"tokenizer_class": "ByT5Tokenizer"}'),
        ),
        "{given} names no limit of tokens: give --window, such as 512",
    ),
    **{
        f"a limit of {limit}": (
            but(
                "t5", given.containing("tokenizer_config.json", f'{{"model_max_length": {limit}}}')
            ),
            "{given} names no limit of tokens: give --window, such as 512",
        )
        for limit in ("null", "-1", "0", "1e30", "true")
    },
    "a layer norm of no number": (
        but("bert", given.configured(layer_norm_eps="x")),
        "config.json of {given} has 'x' for layer_norm_eps, which is no number: fetch it again",
    ),
    "no number of heads": (
        but("bert", given.configured(num_attention_heads=None)),
        "config.json of {given} has None for num_attention_heads, which is no count: fetch it "
        "again",
    ),
    "another width": (
        but("bert", given.configured(hidden_size=64)),
        "{given} has embeddings.word_embeddings.weight as [326, 32] and its config.json says "
        "[326, 64]: " + ONE_OF_THEM,
    ),
    "another width, by transformers": (
        but("gpt2", given.configured(n_embd=64)),
        "{given} has h.0.attn.c_attn.bias as [96] and its config.json says [192]: " + ONE_OF_THEM,
    ),
    "more layers": (
        but("bert", given.configured(num_hidden_layers=4)),
        "{given} has no tensor encoder.layer.3.attention.self.query.weight: " + ANOTHER,
    ),
    "heads that do not divide": (
        but("bert", given.configured(num_attention_heads=5)),
        "config.json of {given} divides a hidden_size of 32 among 5 heads: fetch it again",
    ),
    "a word for a number": (
        but("llama", given.configured(num_attention_heads="4")),
        "{given}: its tokenizer cannot be loaded (StrictDataclassFieldValidationError: Validation "
        "error for field 'num_attention_heads': TypeError: Field 'num_attention_heads' expected "
        "int, got str (value: '4')): fetch it again, or choose another model",
    ),
    # tensors
    "a tensor is missing": (
        but("bert", given.weighing(lambda tensors: tensors.pop(DENSE))),
        "{given} has no tensor encoder.layer.0.output.dense.weight: " + ANOTHER,
    ),
    "a tensor is missing, by transformers": (
        but("gpt2", given.weighing(lambda tensors: tensors.pop(MLP))),
        "{given} lacks 1 tensors, such as h.0.mlp.c_fc.weight: " + ANOTHER,
    ),
    "no number": (
        but("bert", given.weighing(given.spoilt(DENSE))),
        "{given} gives text 'x' a vector that is not finite: its weights are damaged, fetch "
        "it again",
    ),
    "no number, by transformers": (
        but("gpt2", given.weighing(given.spoilt(MLP))),
        "{given} gives text 'x' a vector that is not finite: its weights are damaged, fetch "
        "it again",
    ),
    # tokenizers
    "no tokenizer": (
        but("bert", given.without("tokenizer.json")),
        "{given} has no tokenizer: save one beside its config.json",
    ),
    "a pointer for the tokenizer": (
        but("bert", given.pointer("tokenizer.json")),
        "{given}/tokenizer.json is not JSON: it " + POINTER,
    ),
    "half a tokenizer": (
        but("bert", given.cut("tokenizer.json")),
        "{given}/tokenizer.json is not JSON: it is damaged, or half a download: fetch it again",
    ),
    "a tokenizer of nothing": (
        but("bert", given.containing("tokenizer.json", "{}")),
        "{given}/tokenizer.json has no vocabulary: save the tokenizer anew, or fetch it again",
    ),
    "a tokenizer without its merges": (
        but("bert", given.containing("tokenizer.json", '{"model": {"type": "BPE", "vocab": {}}}')),
        "{given}/tokenizer.json has no vocabulary: save the tokenizer anew, or fetch it again",
    ),
    "a pointer for an older tokenizer": (
        but("bert", given.both(given.without("tokenizer.json"), given.pointer("vocab.txt"))),
        "{given}/vocab.txt " + POINTER,
    ),
    "a tokenizer of more tokens": (
        but("bert", given.both(given.configured(vocab_size=50), given.weighing(given.fewer_words))),
        "{given} has a tokenizer of 326 tokens and embeddings of 50: " + ONE_OF_THEM,
    ),
    # other paths
    "an empty folder": (
        given.empty,
        "{given} holds no language model, no config.json: the folder is empty, fetch the model "
        "again",
    ),
    "a folder of something else": (
        given.holiday,
        "{given} holds no language model, no config.json: give the folder of one",
    ),
    "the folder above": (
        given.checkpoints,
        "{given} holds no language model, no config.json: give the folder below it, "
        "{given}/checkpoint-500",
    ),
    "the weights' file": (
        given.a_file_of_it,
        "{given} is a file of a model: give its folder, {folder}/bert",
    ),
    "an archive": (
        given.archive,
        "{given} is an archive: unpack it and give the model's folder",
    ),
    "a file of something else": (
        given.a_text,
        "{given} is a file and no language model's folder: give the folder with config.json",
    ),
    "a typing error": (
        given.a_typing_error,
        "no language model at {given}, no such folder (did you mean {folder}/bert?): choose from "
        "`cole models`, or give the path of one",
    ),
    "the home of nobody": (
        lambda models, folder: Path("~nobody-of-this-name/bert"),
        "no language model at {given}, no such folder: choose from `cole models`, or give the path "
        "of one",
    ),
    "in a folder that cannot be": (
        lambda models, folder: given.too_long(models, folder) / "bert",
        "no language model at {given}, no such folder: choose from `cole models`, or give the path "
        "of one",
    ),
    "a name that no file can have": (
        given.too_long,
        "no language model at {given}, no such folder: choose from `cole models`, or give the path "
        "of one",
    ),
}
