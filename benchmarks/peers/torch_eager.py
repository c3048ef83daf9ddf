"""The table and the recurrences in PyTorch, eager: the loop that everybody writes, over tensors that are in memory."""

from __future__ import annotations

import sys

import torch

from benchmarks import cases
from benchmarks.peers.process import serve
from mltrain.training.progress import epoch_order

RECURRENCES = {
    cases.LSTM.name: (torch.nn.LSTM, 64),
    cases.WIDE_LSTM.name: (torch.nn.LSTM, 128),
    cases.GRU.name: (torch.nn.GRU, 64),
}


class LastStep(torch.nn.Module):
    """A recurrence and a head on the output of its last step."""

    def __init__(self, kind: type[torch.nn.RNNBase], features: int, units: int, outputs: int) -> None:
        super().__init__()
        self.recurrence = kind(features, units, batch_first=True)
        self.head = torch.nn.Linear(units, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.recurrence(x)[0][:, -1])


def main() -> None:
    name, rows = sys.argv[1:]
    case = cases.named(name, int(rows))
    x, y = map(torch.from_numpy, cases.data(case))
    torch.manual_seed(cases.SEED)
    if case.name in RECURRENCES:
        kind, units = RECURRENCES[case.name]
        model: torch.nn.Module = LastStep(kind, case.shape[-1], units, cases.CLASSES)
        criterion: torch.nn.Module = torch.nn.CrossEntropyLoss()
        y = y.long()
    else:
        first, second = torch.nn.Linear(*case.shape, 128), torch.nn.Linear(128, 128)
        hidden = [first, torch.nn.ReLU(), second, torch.nn.ReLU()]
        model = torch.nn.Sequential(*hidden, torch.nn.Linear(128, 1))
        criterion = torch.nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)

    def epoch(number: int) -> float:
        order = torch.from_numpy(epoch_order(case.rows, cases.SEED, number)).long()
        total = torch.zeros(())
        for rows in order.split(case.batch_size):
            optimizer.zero_grad()
            loss = criterion(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(rows)
        return float(total) / case.rows

    serve(epoch)


if __name__ == "__main__":
    main()
