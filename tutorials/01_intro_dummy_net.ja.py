# %% はじめてのニューラルネットワーク：3件のダミーデータ（4.3節）
r"""Kerasでネットワークを作り、訓練し、評価するまでを、できるだけ短く書きます。

Run:    .venv/bin/python tutorials/01_intro_dummy_net.ja.py （Windowsでは .venv\Scripts\python）
Expect: テストデータの正答率は0.0か1.0、損失は0.6095～2.0520（シード100通り）、約6秒
Marks:  `# Book 7:` などは本との違い（book.ja.mdのNo. 7）、`# Extra:` は本にない部分
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=10, help="訓練データを学習する回数（既定値: 10）")
parser.add_argument("--batch-size", type=int, default=32, help="更新1回に使う件数（既定値: 32）")
parser.add_argument("--seed", type=int, default=0, help="乱数のシード（既定値: 0）")
parser.add_argument("--quiet", action="store_true", help="進捗を表示しない（既定値: 表示する）")
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)  # ノートブックでは args.epochs = 2 などで変更
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# %% ライブラリ
import keras
import numpy as np

# Book 5: 本の from keras.layers.core import Dense, Activation は、今はエラーになる。
from keras.layers import Activation, Dense, Input
from keras.models import Sequential

# Kerasではネットワークの構成を記述し、計算はバックエンド（ここではTensorFlow）が行う。
print(f"Keras {keras.__version__}, backend {keras.config.backend()}")

# %% データ：訓練データは3件、1件につき数値が3個
x_train = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])
# one-hotラベル：1行が1件の正解。3つのクラス（分類先）のうち、正解の列だけが1になる。
y_train = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])

# テストデータは訓練に使わない。未知のデータにも通用するか（汎化能力）を確かめるため。
x_test = np.array([[0.1, 0.3, 0.5]])
y_test = np.array([[0, 0, 1]])

# %% モデル：データが通る順に、層を並べる
# ニューロンは重みを持つ。訓練で変わる数値で、初期値は乱数で決まる。シードを決めておくと、
# 何度実行しても同じ初期値になる。
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: 本の Dense(2, input_dim=3) は、今も動くが警告が出る。
model.add(Input(shape=(3,)))  # 1件は3個の数値（件数は書かない）
# 隠れ層（入力層と出力層の間の層）：ニューロンは2個。それぞれが、入力に自分の重みを掛けて合計し、
# 自分のバイアス（これも訓練で変わる数値）を足す。Denseは全結合の層。
# sigmoid関数は、その結果を0から1までの数に変える。
model.add(Dense(2))
model.add(Activation("sigmoid"))
# 出力層：ニューロンはクラスごとに1個。softmax関数は、その値をそれぞれのクラスの確率に変える。
model.add(Dense(3))
model.add(Activation("softmax"))

# 損失（クロスエントロピー誤差）は、正解のクラスの確率の対数にマイナスを付けたもの。確率が1なら
# 0で、3つのクラスを当てずっぽうで答えると -log(1/3) = 1.1 になる。
# オプティマイザー（SGD：確率的勾配降下法）は、損失が減るように重みを変える。
# 正答率は、確率が最も高いクラスが正解と一致したデータの割合。
model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])

# %% 訓練：訓練データ全体を1回使うことを、1エポックという
# バッチは、重みの更新1回に使うデータのまとまり。ここでは3件全部なので、10エポックで10回更新する。
# SGDの学習率は0.01で、1回の更新は小さい。10回では、結果はまだほとんど偶然で決まる。
verbose = 0 if args.quiet else 1
# Book 2: 本ではepochsを省略。当時は10エポックだったが、今は1エポックになる（警告なし）。
# Extra: `history` に、各エポックの損失と正答率が記録される。05でグラフにする。
history = model.fit(
    x_train, y_train, batch_size=args.batch_size, epochs=args.epochs, verbose=verbose
)

# %% テストデータでの評価：[損失, 正答率]
# テストデータは1件なので、正答率は0.0か1.0になる。
print(model.evaluate(x_test, y_test, verbose=0))

# /// script
# requires-python = ">=3.11,<3.14"  # この部分は `uv run` のためのもの
# dependencies = ["keras", "tensorflow", "numpy"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///
