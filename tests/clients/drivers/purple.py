class Purple: 
    name="libpurple"
    @classmethod
    def missing(cls): return "not yet"
