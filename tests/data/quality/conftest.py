import pytest


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    """Three sessions of half a minute of one user, and one of another, with nothing wrong with them."""
    from semgjax.data.simulate import simulate

    folder = tmp_path_factory.mktemp("sound") / "sessions"
    simulate(folder, users=2, sessions=3, minutes=0.5, seed=0, severity="clean")
    return sorted(folder.glob("*.hdf5"))
