"""The IPython extension, magics, live output and panels; the only folder that knows IPython."""
