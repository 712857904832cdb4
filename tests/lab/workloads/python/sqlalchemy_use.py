# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Uses its ORM over SQLite in memory."""

from outcome import told
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def use():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Item(name="a"), Item(name="b")])
        session.commit()
        return [item.name for item in session.scalars(select(Item))]


handler = told(use)
