"""Draw the picture of the README: what each bound says of the shipped networks.

python benchmarks/picture.py docs/bounds.png
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt

from geolip import certify, importer, norms
from geolip.bounds.norm_product import norm_product

MODELS = Path(__file__).parent.parent / "models"


def main(target: Path) -> None:
    """Certify the shipped networks in both norms and draw one panel a norm."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
    models = sorted(MODELS.glob("*.onnx"))
    for panel, norm in zip(panels, ("inf", "2"), strict=True):
        for place, model in enumerate(models):
            report = certify(model, norm)
            network = importer.load(model).sectors()
            product = norm_product(network, norms.parse(norm))
            span = [report.lower_bound, report.bound]
            panel.plot(span, [place, place], color="0.8", linewidth=5, zorder=0)
            points = (
                (report.lower_bound, "|", "largest gradient found"),
                (report.fgl_lower_bound, "4", "largest slope pattern found"),
                (report.bound, "D", "verified bound"),
                (product, "x", "norm product"),
            )
            for colour, (value, marker, label) in enumerate(points):
                panel.scatter(
                    value,
                    place,
                    marker=marker,
                    s=36,
                    color=f"C{colour}",
                    label=label if place == 0 else None,
                )
        panel.set(xscale="log", yticks=range(len(models)))
        panel.set_yticklabels([model.stem for model in models])
        panel.set_title(f"l_{norm} to l_{norm}")
        panel.grid(axis="x", alpha=0.3)
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), ncols=4, loc="lower center")
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
