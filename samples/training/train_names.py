"""Write the CLDR names, and train and export names-lstm.onnx, which tells the language of a name. Takes about a minute."""

import csv
import random
import time
import xml.etree.ElementTree

import torch
from torch import nn

from common import DATA, MODELS, accuracy, export, predict, report, seed_everything

CLDR = "/usr/share/unicode/cldr/common/main"  # where the Debian package unicode-cldr-core puts it
LANGUAGES = ["de", "en", "es", "fi", "fr", "it", "nl", "pl", "pt", "sv"]
KINDS = {"language": "localeDisplayNames/languages/language", "territory": "localeDisplayNames/territories/territory"}
FOLDER = DATA / "cldr-names"
LENGTH = 24  # characters read of a name: its last ones
UNKNOWN = 1  # 0 fills up short names in front
SEED = 1
EPOCHS = 30
BATCH = 64
OPSET = 16


def write_csv():
    """Names of languages and territories, each in ten languages. A name that two of the ten share tells nothing, and is left out."""
    rows = []
    for language in LANGUAGES:
        root = xml.etree.ElementTree.parse(f"{CLDR}/{language}.xml").getroot()
        for kind, path in KINDS.items():
            rows += [(language, kind, e.get("type"), e.text) for e in root.findall(path) if not e.get("alt") and e.text and e.text != "↑↑↑"]
    languages = {}
    for language, _, _, name in rows:
        languages.setdefault(name, set()).add(language)
    rows = sorted((code, kind, language, name) for language, kind, code, name in rows if len(languages[name]) == 1)
    # A fifth of the codes is held out in all languages, so that no held-out name is a translation of one that was learnt.
    codes = sorted({(code, kind) for code, kind, _, _ in rows})
    held_out = set(random.Random(SEED).sample(codes, len(codes) // 5))
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "names.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["language", "kind", "code", "held_out", "name"])
        writer.writerows([language, kind, code, int((code, kind) in held_out), name] for code, kind, language, name in rows)
    characters = sorted({c for code, kind, _, name in rows for c in name if (code, kind) not in held_out})
    (FOLDER / "characters.txt").write_text("".join(characters) + "\n", encoding="utf-8")


def read_csv():
    characters = (FOLDER / "characters.txt").read_text(encoding="utf-8").rstrip("\n")
    ids = {c: k + 2 for k, c in enumerate(characters)}
    with open(FOLDER / "names.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = torch.zeros(len(rows), LENGTH, dtype=torch.long)
    for k, row in enumerate(rows):
        tail = [ids.get(c, UNKNOWN) for c in row["name"][-LENGTH:]]
        names[k, LENGTH - len(tail):] = torch.tensor(tail)
    labels = torch.tensor([LANGUAGES.index(row["language"]) for row in rows])
    held_out = torch.tensor([row["held_out"] == "1" for row in rows])
    return names, labels, held_out, len(ids) + 2


class Classifier(nn.Module):
    def __init__(self, characters, width=16, hidden=48):
        super().__init__()
        self.embedding = nn.Embedding(characters, width, padding_idx=0)
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        self.head = nn.Linear(hidden, len(LANGUAGES))

    def forward(self, characters):
        _, (state, _) = self.lstm(self.embedding(characters))
        return self.head(nn.functional.dropout(state[-1], 0.5, self.training))


def blotted(names, generator):
    """A tenth of the characters made unknown, so that the network meets unknown ones, and learns no name by heart."""
    blots = torch.rand(names.shape, generator=generator) < 0.1
    return torch.where(blots & (names > 0), torch.full_like(names, UNKNOWN), names)


def train(model, names, labels):
    generator = torch.Generator().manual_seed(SEED)
    steps = (len(names) + BATCH - 1) // BATCH
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, epochs=EPOCHS, steps_per_epoch=steps)
    model.train()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(names), generator=generator).split(BATCH):
            loss = nn.functional.cross_entropy(model(blotted(names[rows], generator)), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            schedule.step()


def main():
    write_csv()
    MODELS.mkdir(exist_ok=True)
    names, labels, held_out, characters = read_csv()
    seed_everything(SEED, threads=1)  # a second thread waits more than it works on matrices this small
    model = Classifier(characters)
    start = time.time()
    train(model, names[~held_out], labels[~held_out])
    seconds = time.time() - start
    path = MODELS / "names-lstm.onnx"
    export(model, names[:2], path, "characters", "logits", OPSET)
    report(path, model, names[held_out], labels[held_out], seconds, EPOCHS, SEED,
           held_out="rows of names.csv with held_out 1: a fifth of the codes, in all languages",
           classes=LANGUAGES,
           accuracy_on_the_training_rows=round(accuracy(predict(model, names[~held_out]), labels[~held_out]), 4))


if __name__ == "__main__":
    main()
