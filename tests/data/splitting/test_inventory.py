"""Which sessions there are, from metadata.csv and from a folder."""

import pytest

from semgjax.data.splitting.inventory import KnownSession, list_folder, read_metadata
from tests.data.fixtures import write_session
from tests.refused import refused

HEAD = "user,session,duration_mins,num_keystrokes,num_prompts,quality_check_tags\n"


def table(tmp_path, text):
    path = tmp_path / "metadata.csv"
    path.write_text(text)
    return path


def test_rows_are_read_by_column_name_with_their_tags(tmp_path):
    text = (
        "quality_check_tags,note,session,user,duration_mins\n"
        '[],x,a,1,2.5\n"[\'short session\', ""low rate""]",,b,2,0.5\n,,c,2,1e1\n'
    )
    assert read_metadata(table(tmp_path, text)) == [
        KnownSession("a", "1", 300_000),
        KnownSession("b", "2", 60_000, ("short session", "low rate")),
        KnownSession("c", "2", 1_200_000),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "no-column"),
        ("user,session,duration_mins\n1,a,2\n", "no-column"),
        (HEAD, "no-sessions"),
        (HEAD + "1,,2,3,4,[]\n", "bad-field"),
        (HEAD + "1,a,2,3,4,[]\n,b,2,3,4,[]\n", "bad-field"),
        (HEAD + "1,a,long,3,4,[]\n", "bad-field"),
        (HEAD + "1,a,nan,3,4,[]\n", "bad-field"),
        (HEAD + "1,a\n", "bad-field"),
        (HEAD + "1,a,2,3,4,tagged\n", "bad-field"),
        (HEAD + "1,a,2,3,4,[]\n2,a,2,3,4,[]\n", "bad-row"),
        (HEAD + '1,"a,2\n', "bad-row"),
    ],
)
def test_a_damaged_table_is_an_input_error_that_names_it(tmp_path, text, code):
    path = table(tmp_path, text)
    with refused(code) as caught:
        read_metadata(path)
    assert str(path) in str(caught.value)


def test_a_missing_table_is_an_input_error(tmp_path):
    with refused("no-file", "metadata.csv"):
        read_metadata(tmp_path / "metadata.csv")


def test_a_folder_tells_name_user_and_length_of_its_files(tmp_path):
    write_session(tmp_path / "x.hdf5", 700, name="b", user="2")
    write_session(tmp_path / "y.hdf5", 300, name="a", user="1")
    assert list_folder(tmp_path) == [KnownSession("a", "1", 300), KnownSession("b", "2", 700)]
    write_session(tmp_path / "z.hdf5", dataset=None)
    with refused("bad-field", "z.hdf5"):
        list_folder(tmp_path)
