# %% 畳み込みニューラルネットワーク（CNN）で手書き数字を認識する（4.6節）
r"""画像（MNIST）の隣り合うピクセルを見る層と、過学習を抑えるドロップアウトを使います。

Run:    .venv/bin/python tutorials/04_mnist_cnn.ja.py （Windowsでは .venv\Scripts\python）
Expect: テストデータの正答率は0.9897～0.9916（シード10通り）、約7分
        本の実行例と同じ --epochs 3 --batch-size 512 では、
        テストデータの正答率は0.9746～0.9810（シード10通り）、約2分
Marks:  `# Book 7:` などは本との違い（book.ja.mdのNo. 7）、`# Extra:` は本にない部分
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=10, help="訓練データを学習する回数（既定値: 10）")
parser.add_argument("--batch-size", type=int, default=128, help="更新1回に使う枚数（既定値: 128）")
parser.add_argument("--seed", type=int, default=0, help="乱数のシード（既定値: 0）")
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)  # ノートブックでは args.epochs = 2 などで変更
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# %% ライブラリ
import socket
from importlib import import_module

import keras
from keras.datasets import mnist
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from keras.models import Sequential
from keras.optimizers import Adadelta
from keras.utils import to_categorical

# %% データ：28 x 28ピクセルの画像。訓練データが60,000枚、テストデータが別に10,000枚
# Extra: サーバーが10秒間応答しなければ、ダウンロードをやめる。
socket.setdefaulttimeout(10)
try:
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
except Exception as error:
    # Extra: オフラインなら、同じフォルダーのoffline_mnist.pyが、代わりの手書き数字を用意する。
    (x_train, y_train), (x_test, y_test) = import_module("offline_mnist").load_data(error)

# 縦、横、チャネル：チャネル数は、グレースケールなら1、カラーなら3。03と同じく 0～255 => 0～1
x_train = x_train.reshape(len(x_train), 28, 28, 1).astype("float32") / 255
x_test = x_test.reshape(len(x_test), 28, 28, 1).astype("float32") / 255
# one-hotラベル：数字ごとに1列。2 => [0, 0, 1, 0, ...]
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

# %% モデル：畳み込み層は隣り合うピクセルを見る。Dense層は、どのピクセルが隣同士かを区別しない
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: 本の Conv2D(32, kernel_size=(3, 3), input_shape=(28, 28, 1)) は、今も動くが警告が出る。
model.add(Input(shape=(28, 28, 1)))
# 3 x 3個の重みを持つフィルター32個を、画像の上でずらしながら当てていく。どのフィルターも1つの
# パターンを学習し、パターンのある所の値が大きい画像を作る。この32枚が、出力の32チャネルになる。
# 3 x 3の正方形を置ける位置は26 x 26か所：28 x 28 => 26 x 26。
model.add(Conv2D(32, kernel_size=(3, 3)))
model.add(Activation("relu"))  # 負の値を0にする
# さらにフィルター64個。どれも32チャネルをまとめて見る（重みは3 x 3 x 32個）ので、最初の層の
# パターンの組み合わせを学習できる。26 x 26 => 24 x 24。
model.add(Conv2D(64, kernel_size=(3, 3)))
model.add(Activation("relu"))
# プーリングは、2 x 2の正方形ごとに最大の値を残す：24 x 24 => 12 x 12。正方形のどこにあったかは
# 残らないので、数字の位置が少しずれたときの、出力の変化が小さくなる。
model.add(MaxPooling2D(pool_size=(2, 2)))
# ドロップアウトは、訓練のときだけ、値の約4分の1をバッチごとにランダムに選んで0にし、残りを
# 大きくする。どのニューロンも、特定のニューロンだけに頼ることができなくなり、訓練データを
# 丸暗記してしまうこと（過学習）が減る。
model.add(Dropout(0.25))
model.add(Flatten())  # 12 x 12 x 64個の値を、Dense層のために1次元に並べる
model.add(Dense(128))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(10))
model.add(Activation("softmax"))  # 0～9のそれぞれである確率

# Adadeltaも、Adagrad（03）と同じく、それまでの勾配が大きかった重みほど、勾配に掛ける倍率を
# 小さくする。ただし、古い勾配は忘れていくので、倍率が小さくなり続けることはない。
# 学習率は、さらにそれに掛ける数で、1.0ならそのまま。
model.compile(
    loss="categorical_crossentropy",
    # Book 1: 本の "Adadelta" は、今は学習率が0.001になる（警告なし）。
    optimizer=Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-8),
    metrics=["accuracy"],
)

# %% 訓練：エポック数を減らすかバッチを大きくすると、早く終わるが、更新回数も減る
# Extra: `history` に、各エポックの損失と正答率が記録される。05でグラフにする。
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# %% テストデータでの評価。ドロップアウトは、ここでは働かない
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# /// script
# requires-python = ">=3.11,<3.14"  # この部分は `uv run` のためのもの
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///
