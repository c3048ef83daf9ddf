"""What some tables need before they are learned from: rows without a target, codes that are no numbers, dates.

Each function takes the table as its package has it. What a set only leaves out is a list of names in `sets.py`.
"""

from __future__ import annotations

from typing import Any


def codes(frame: Any, *names: str) -> Any:
    """Return the table with these columns as texts: their numbers are names of kinds, with no order."""
    return frame.assign(**{name: _as_text(frame[name]) for name in names})


def earners(frame: Any) -> Any:
    """Return those who are employed and earned something: without work, the income is 0 or unknown."""
    return frame[(frame["employment"] == "employed") & (frame["income"] > 0)].drop(columns="employment")


def late_flights(frame: Any) -> Any:
    """Return the flights that arrived, with what is known a day before, and whether they were 15 minutes late."""
    arrived = frame.dropna(subset=["arr_delay"])
    known = arrived[["month", "day", "sched_dep_time", "carrier", "origin", "dest", "distance"]]
    return known.assign(late=(arrived["arr_delay"] > 15).map({True: "yes", False: "no"}))


def rodents(frame: Any) -> Any:
    """Return the animals of the 20 commonest species; what else is kept of an animal would name the species."""
    common = frame["species_id"].value_counts().index[:20]
    animals = frame[(frame["taxa"] == "Rodent") & frame["species_id"].isin(common)]
    kept = animals[["month", "year", "plot_id", "sex", "hindfoot_length", "weight", "plot_type", "species_id"]]
    return codes(kept, "plot_id")


def taxi(frame: Any) -> Any:
    """Return the bookings with their times as hours: of the day, of the week, and between booking and ride."""
    import pandas

    ride = pandas.to_datetime(frame["from_date"], format="%m/%d/%y %H:%M")
    booked = pandas.to_datetime(frame["booking_created"], format="%m/%d/%y %H:%M")
    times = {
        "hour": ride.dt.hour,
        "weekday": ride.dt.day_name(),
        "hours_ahead": ((ride - booked).dt.total_seconds() / 3600).round(2),
    }
    unused = ["row#", "user_id", "from_date", "to_date", "booking_created", "to_area_id", "to_city_id", "from_city_id"]
    kept = frame.drop(columns=unused).assign(**times)
    return codes(kept, "vehicle_model_id", "package_id", "travel_type_id", "from_area_id")


def cars(frame: Any) -> Any:
    """Return the cars without numbers of their own: the month and the year of making are the age once more."""
    return frame.drop(columns=["Id", "Model", "Mfg_Month", "Mfg_Year", "Cylinders"])


def loans(frame: Any) -> Any:
    """Return the loans as they were offered: the grade, the rate paid and what came after follow from the interest."""
    after = [name for name in frame.columns if name.startswith("paid_")]
    grades = ["grade", "sub_grade", "installment", "loan_status", "balance"]
    return frame.drop(columns=[*after, *grades, "emp_title", "num_accounts_120d_past_due"])


def ratings(frame: Any) -> Any:
    """Return the movies without their titles and without the shares of each rating, which make up the mean."""
    return frame.drop(columns=["title", *(f"r{number}" for number in range(1, 11))])


def _as_text(column: Any) -> Any:
    """Return numbers as `c12`, and missing ones as missing."""
    return column.map(lambda value: f"c{value:g}", na_action="ignore")
