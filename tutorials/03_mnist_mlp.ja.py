# %% 多層パーセプトロン（全結合の層だけのネットワーク）で手書き数字を認識する（4.5節）
r"""画像（MNIST）を1次元の数値の並びにして訓練し、オプションで設定を変えて試します。

Run:    .venv/bin/python tutorials/03_mnist_mlp.ja.py （Windowsでは .venv\Scripts\python）
Expect: テストデータの正答率は0.8719～0.8951（シード40通り）、約34秒
Marks:  `# Book 7:` などは本との違い（book.ja.mdのNo. 7）、`# Extra:` は本にない部分
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
add = parser.add_argument
add("--epochs", type=int, default=10, help="訓練データを学習する回数（既定値: 10）")
add("--batch-size", type=int, default=32, help="更新1回に使う枚数（既定値: 32）")
add("--seed", type=int, default=0, help="乱数のシード（既定値: 0）")
add("--optimizer", choices=["sgd", "adagrad", "adam"], help="オプティマイザー（既定値: sgd）")
add("--activation", choices=["sigmoid", "relu", "tanh"], help="活性化関数（既定値: sigmoid）")
add("--validation-split", type=float, default=0.0, help="訓練データのうち、設定を選ぶための検証データとして取り分ける割合（既定値: 0）")  # fmt: skip
add("--steps-per-execution", type=int, default=1, help="TensorFlowの1回の呼び出しで処理するバッチの数。25なら時間は約半分（既定値: 1）")  # fmt: skip
parser.set_defaults(optimizer="sgd", activation="sigmoid")
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)  # ノートブックでは args.epochs = 2 などで変更
ranges = "--epochs, --batch-size, --steps-per-execution at least 1, --seed 0 to 4294967295"
counts = args.epochs, args.batch_size, args.steps_per_execution
if min(counts) < 1 or not 0 <= args.seed < 2**32 or not 0 <= args.validation_split < 1:
    parser.error(f"{ranges}, --validation-split 0 up to, not including, 1")

# %% ライブラリ
import socket
from importlib import import_module

import keras
from keras.datasets import mnist
from keras.layers import Activation, Dense, Input
from keras.models import Sequential
from keras.optimizers import Adagrad, Adam
from keras.utils import to_categorical

# %% データ：28 x 28ピクセルの画像。訓練データ60,000枚と、別のテストデータ10,000枚
# Extra: サーバーが10秒間応答しなければ、ダウンロードをやめる。
socket.setdefaulttimeout(10)
try:
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
except Exception as error:
    # Extra: オフラインなら、同じフォルダーのoffline_mnist.pyが、代わりの手書き数字を用意する。
    (x_train, y_train), (x_test, y_test) = import_module("offline_mnist").load_data(error)

# Dense層の入力は1次元なので、28 x 28 => 784。0～255のままだと、relu関数とSGDでは最初の更新が
# 大きくなりすぎて、その後は何も学習できなくなる。そこで 0～255 => 0～1 にする。
x_train = x_train.reshape(len(x_train), 784).astype("float32") / 255
x_test = x_test.reshape(len(x_test), 784).astype("float32") / 255
# one-hotラベル：数字ごとに1列。2 => [0, 0, 1, 0, ...]
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

# %% モデル：隠れ層は2つ、ニューロンは50個と20個
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: 本の Dense(50, input_dim=784) は、今も動くが警告が出る。
model.add(Input(shape=(784,)))
model.add(Dense(50))
model.add(Activation(args.activation))  # sigmoid: 0～1、tanh: -1～1、relu: 負の値 => 0
model.add(Dense(20))
model.add(Activation(args.activation))
model.add(Dense(10))
model.add(Activation("softmax"))  # 0～9のそれぞれである確率

# 重みの勾配とは、その重みを増やしたときの損失の傾き。SGDは、重みから、勾配に学習率を掛けたものを
# 引く。学習率は、どの重みでも同じ0.01。
optimizer = "sgd"
if args.optimizer == "adagrad":
    # Adagradは、学習率を重みごとに調整する。それまでの勾配が大きかった重みほど、小さくする。
    # 勾配が小さく、SGDではほとんど動かない重みも、これで学習が進む。
    # Book 3: 本の "Adagrad" は、今は別の設定になり（警告なし）、学習が遅い。
    optimizer = Adagrad(learning_rate=0.01, initial_accumulator_value=0.0, epsilon=1e-16)
elif args.optimizer == "adam":
    # Extra: Adamも学習率を重みごとに調整し、最近の勾配の平均を使って更新する。
    optimizer = Adam(learning_rate=0.001, epsilon=1e-7)

model.compile(
    optimizer=optimizer,
    loss="categorical_crossentropy",
    metrics=["accuracy"],
    steps_per_execution=args.steps_per_execution,  # Extra: 速さだけを変える
)

# %% 訓練：バッチごとに1回更新するので、バッチが大きいほど、1エポックの更新回数は少ない
# Book 2: 本ではepochsを省略。当時は10エポックだったが、今は1エポックになる（警告なし）。
history = model.fit(
    x_train,
    y_train,
    batch_size=args.batch_size,
    epochs=args.epochs,
    validation_split=args.validation_split,  # Extra: val_accuracyで選ぶ
)

# %% テストデータでの評価は、設定を選び終えてから、1回だけ行う
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# /// script
# requires-python = ">=3.11,<3.14"  # この部分は `uv run` のためのもの
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///
