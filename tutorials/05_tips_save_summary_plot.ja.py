# %% モデルの保存、サマリー、学習曲線（4.7節）
r"""02のモデルを訓練して保存し、層を表示し、学習の様子をグラフにします。

Run:    .venv/bin/python tutorials/05_tips_save_summary_plot.ja.py （Windows: .venv\Scripts\python）
Expect: テストデータの正答率は0.6579～1.0000（シード80通り）、約12秒
Marks:  `# Book 7:` などは本との違い（book.ja.mdのNo. 7）、`# Extra:` は本にない部分
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=20, help="訓練データを学習する回数（既定値: 20）")
parser.add_argument("--batch-size", type=int, default=1, help="更新1回に使う件数（既定値: 1）")
parser.add_argument("--seed", type=int, default=0, help="乱数のシード（既定値: 0）")
parser.add_argument("--show", action="store_true", help="グラフを画面にも表示（既定値: しない）")
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)  # ノートブックでは args.epochs = 2 などで変更
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# %% ライブラリ
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras.layers import Activation, Dense, Input
from keras.models import Sequential, load_model
from keras.utils import to_categorical
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

# %% データ：02と同じデータを同じように分け、ラベルをone-hotにする
iris = load_iris()
x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=args.seed)
y_train = to_categorical(y_train, num_classes=3)
y_test = to_categorical(y_test, num_classes=3)

# %% モデル：02と同じ、隠れ層1つとsoftmax関数のネットワーク
# Extra: このセルをもう一度実行しても、層の名前がdenseから始まるように、番号を初期化する。
keras.utils.clear_session()
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: 本の Dense(50, input_dim=4) は、今も動くが警告が出る。
model.add(Input(shape=(4,)))
model.add(Dense(50))
model.add(Activation("sigmoid"))
model.add(Dense(3))
model.add(Activation("softmax"))
model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])

# %% TIPS：サマリーには、層、出力の形、パラメーターの個数（Param #）が表示される
# パラメーターとは、重みとバイアスのこと。最初のDense層は、重みが4 x 50個、バイアスが50個で、
# 計250個。出力の形のNoneは、件数がいくつでもよいという意味。
# Book 4: 層の名前は、本では dense_1 と dense_2。今は dense と dense_1 になる。
model.summary()

# %% 訓練：fitは、各エポックの損失と正答率を記録したオブジェクトを返す
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# %% テストデータでの評価
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# %% TIPS：ファイルには層と重みが保存されるので、別のプログラムで訓練し直さずに使える
# オプティマイザーの状態も保存される。たとえば更新回数は、20エポック x 112バッチ = 2240回。
# そのため、訓練の続きもできる。同じ名前の古いファイルは上書きされる。
# Book 8: 本の my_model.h5 は、今は旧形式（legacy）とされ、警告が出る。
model.save("my_model.keras")
loaded_model = load_model("my_model.keras")
# predictは、1件につき3個の確率を返す。ロードした後も、保存前と同じになるか。
result = loaded_model.predict(x_test, verbose=0)
print("loaded, it predicts the same:", np.array_equal(result, model.predict(x_test, verbose=0)))
print("updates in its optimizer:", int(loaded_model.optimizer.iterations))

# argmaxは、最大値の位置を返す。予測（predicted）では確率が最も高い種類、one-hotラベル（true）では
# 正解の種類になる。
names = iris.target_names
for i in range(5):
    print(f"predicted {names[result[i].argmax()]:10}  true {names[y_test[i].argmax()]}")

# %% TIPS：学習が進むと、上下しながらも、正答率（accuracy）は上がり、損失（loss）は下がる
# どちらも訓練データに対する値。丸暗記（過学習）かどうかは、未知のデータでしかわからない。
epochs = [epoch + 1 for epoch in history.epoch]  # history.epochは0から数える
plt.figure()
# Book 6: 本の history.history["acc"] は、今はKeyErrorになる。
plt.plot(epochs, history.history["accuracy"], ".-", label="accuracy")
plt.plot(epochs, history.history["loss"], ".-", label="loss")
plt.locator_params(axis="x", integer=True, min_n_ticks=1)  # 目盛りは整数だけ
plt.xlabel("epoch")
plt.ylabel("accuracy and loss on the training data")
plt.legend()
plt.savefig("learning_curve.png")  # plt.showと違い、画面がなくても保存できる
print("written: my_model.keras, learning_curve.png")
if args.show:
    plt.show()

# /// script
# requires-python = ">=3.11,<3.14"  # この部分は `uv run` のためのもの
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn", "matplotlib"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///
