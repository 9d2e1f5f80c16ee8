"""The table of the letters, which refers to the records."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = (("reportflow", "0001_initial"),)
    operations = (
        migrations.CreateModel(
            "Letter",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField()),
                (
                    "about",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="letters",
                        to="reportflow.recordrow",
                    ),
                ),
            ],
        ),
    )
