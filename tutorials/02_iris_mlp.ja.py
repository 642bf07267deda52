# %% 3種類のアヤメを見分ける（4.4節）
r"""実際のデータを訓練用とテスト用に分け、one-hotラベルに直し、未知のデータで評価します。

Run:    .venv/bin/python tutorials/02_iris_mlp.ja.py （Windowsでは .venv\Scripts\python）
Expect: テストデータの正答率は0.6579～1.0000（シード80通り）、約8秒
Marks:  `# Book 7:` などは本との違い（book.ja.mdのNo. 7）、`# Extra:` は本にない部分
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=20, help="訓練データを学習する回数（既定値: 20）")
parser.add_argument("--batch-size", type=int, default=1, help="更新1回に使う件数（既定値: 1）")
parser.add_argument("--seed", type=int, default=0, help="乱数のシード（既定値: 0）")
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)  # ノートブックでは args.epochs = 2 などで変更
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# %% ライブラリ
import keras
from keras.layers import Activation, Dense, Input
from keras.models import Sequential
from keras.utils import to_categorical
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

# %% データ：アヤメ150件、3種類が50件ずつ
# 1件は4個の数値：がく片の長さと幅、花弁の長さと幅（cm）
iris = load_iris()
# 順番をシャッフルして、訓練データ112件とテストデータ38件に分ける。ネットワークは訓練データを
# 丸暗記することもある（過学習）。新しい花も見分けられるかは、未知のデータでしかわからない。
x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=args.seed)

# one-hotラベル：2 => [0, 0, 1]。出力は種類ごとに1つあり、ラベルは出力の目標の値を表す。
# 0、1、2は種類に付けた番号にすぎず、2が1の2倍という意味ではない。
y_train = to_categorical(y_train, num_classes=3)
y_test = to_categorical(y_test, num_classes=3)

# %% モデル：4個の測定値 => 50個のニューロン => 3種類の確率
# シードは、重みの初期値と、訓練データをシャッフルする順番を決める。
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: 本の Dense(50, input_dim=4) は、今も動くが警告が出る。
model.add(Input(shape=(4,)))
# 隠れ層：活性化関数（ここではsigmoid関数）がないと、種類を分ける境界は、まっすぐなものに
# しかならない。
model.add(Dense(50))
model.add(Activation("sigmoid"))
# 出力層：softmax関数は、3個のニューロンの値を、合計が1になる確率に変える。
model.add(Dense(3))
model.add(Activation("softmax"))

# 正解の種類の確率が高いほど、損失は小さい。重みの勾配とは、その重みを増やしたときに、損失が
# どれだけ急に増えるかを表す値（傾き）。SGDは、それぞれの重みを、勾配に学習率を掛けた分だけ、
# 勾配と逆の向きに動かす。
model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])

# %% 訓練：バッチサイズが1なら、1件ごとに更新する。1エポックの更新は112回
# 20エポックでは、まだ学習の途中。--epochs 100 を付けて実行し、比べてみましょう。
# Extra: `history` に、各エポックの損失と正答率が記録される。05でグラフにする。
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# %% テストデータ（訓練に使わなかったデータ）での評価
# 3択なので、当てずっぽうなら正答率は0.33ほど。テストデータは38件しかなく、20エポックは短いので、
# 結果はシードによって大きく変わる。シードは、どの花をテストデータにするかも決めている。
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# /// script
# requires-python = ">=3.11,<3.14"  # この部分は `uv run` のためのもの
# dependencies = ["keras", "tensorflow", "scikit-learn"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///
